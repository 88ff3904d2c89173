"""The review finds each fault of the example, nothing else, and nothing in its twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from expected_taskboard import EXPECTED, FIXED, FOLDER, Fault

from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.project.database import NO_DATABASE
from neondba.review.finding import Finding
from neondba.review.model import Review
from neondba.review.operations import review

NEAR = 3
"""Lines between a fault and a finding that names it."""


@pytest.fixture(scope="session")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(settings=Settings(state_dir=tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def found(ctx: Context) -> Review:
    return review(ctx, FOLDER)


@pytest.fixture(scope="session")
def found_in_twin(ctx: Context) -> Review:
    return review(ctx, FIXED)


def names(finding: Finding, fault: Fault) -> bool:
    return (
        finding.path == fault.path
        and abs(finding.line - fault.line) <= NEAR
        and str(finding.category) in (fault.category, *fault.also)
        and finding.rule == fault.rule
    )


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda f: f"{f.rule}-{Path(f.path).name}-{f.line}")
def test_a_fault_is_found(fault: Fault, found: Review) -> None:
    there = [f"{f.rule} {f.category} line {f.line}" for f in found.findings if f.path == fault.path]
    assert any(names(finding, fault) for finding in found.findings), (fault.why, there)


def test_nothing_is_found_that_is_no_fault(found: Review) -> None:
    extra = [f for f in found.findings if not any(names(f, fault) for fault in EXPECTED)]
    assert [f"{f.path}:{f.line} {f.rule} {f.message}" for f in extra] == []
    assert len(found.findings) == len(EXPECTED)


def test_every_file_of_both_is_read_by_every_rule(found: Review, found_in_twin: Review) -> None:
    assert [(gap.path, gap.reason) for gap in found.unparsed] == [
        ("fixed", "a symbolic link out of the project: not followed")
    ]
    assert found_in_twin.unparsed == []
    for one in (found, found_in_twin):
        assert one.suppressed == []
        assert {gap.missing for gap in one.not_checked} >= {NO_DATABASE}


def test_the_twin_is_clean(found_in_twin: Review) -> None:
    assert [f"{f.path}:{f.line} {f.rule} {f.message}" for f in found_in_twin.findings] == []


def test_the_twin_asks_for_no_finding_to_be_left_out() -> None:
    files = [path for path in FIXED.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(files) > 20
    assert [path for path in files if "neondba:" in path.read_text(errors="replace")] == []
