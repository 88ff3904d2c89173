"""The project keeps to what it asks of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.settings import Settings
from neondba.review.model import Review
from neondba.review.operations import review

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Review:
    """The review of this repository, with its own settings."""
    return review(Context(settings=Settings(state_dir=tmp_path_factory.mktemp("state"))), REPOSITORY)


def test_the_project_passes_its_own_review(own: Review) -> None:
    assert [f"{one.rule} {one.path}:{one.line} {one.message}" for one in own.findings] == []


def test_every_file_of_the_project_is_read(own: Review) -> None:
    assert own.files > 300
    assert own.unparsed == type(own.unparsed)()
    assert [one for one in own.not_checked if "file" in str(one).lower()] == []


def test_what_is_suppressed_besides_the_examples_is_little_and_has_a_reason(own: Review) -> None:
    ours = [
        one
        for one in own.suppressed
        if not one.path.startswith(("examples/", "facts/", "docs/reference/rules/"))
    ]
    assert len(ours) <= 8, "repair it instead"
    assert [one for one in ours if len(one.reason) < 8] == []
