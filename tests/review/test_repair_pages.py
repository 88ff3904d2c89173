"""What `--fix` writes is what a rule's page shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neondba.project.facts import Facts
from neondba.project.migration_writing.writing import Migrations
from neondba.project.tree import MemoryTree
from neondba.review.engine import run
from neondba.review.finding import Reported
from neondba.review.page import Case, cases
from neondba.review.repair.edits import apply
from neondba.review.rule import Rule, rules

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIXED = [
    pytest.param(rule, case, id=f"{rule.code}-{case.name}")
    for rule in rules().values()
    for case in cases(rule.page)
    if case.kind == "fixed"
]


def repaired(files: dict[str, str], rule: Rule) -> dict[str, str]:
    """Give the files after all repairs that the rule proposes, with the new ones."""
    tree = MemoryTree(files)
    facts = Facts(tree)
    findings = run(tree, [rule], facts).findings
    edits = [edit for finding in findings for edit in finding.edits]
    made = dict(files)
    for path in dict.fromkeys(edit.path for edit in edits):
        made[path] = apply(files.get(path), [edit for edit in edits if edit.path == path])
    migrations = Migrations(tree, facts, NOW)
    for finding in findings:
        if finding.change is not None:
            made |= migrations.write(finding.change, finding.path).files
    return made


def bad(rule: Rule, name: str) -> Case:
    """Give the faulty half of a repaired example."""
    return next(case for case in cases(rule.page) if case.name == name.replace("fixed", "bad", 1))


@pytest.mark.parametrize(("rule", "case"), FIXED)
def test_the_repair_is_the_one_that_the_page_shows(rule: Rule, case: Case) -> None:
    before = bad(rule, case.name).files
    after = repaired(before, rule)
    assert {path: after.get(path) for path in case.files} == case.files
    assert {path for path in after if after[path] != before.get(path)} == set(case.files)


@pytest.mark.parametrize(("rule", "case"), FIXED)
def test_a_repair_leaves_nothing_to_find(rule: Rule, case: Case) -> None:
    after = repaired(bad(rule, case.name).files, rule)
    assert run(MemoryTree(after), [rule]).findings == []


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.code)
def test_a_rule_that_repairs_shows_how(rule: Rule) -> None:
    def repairs(finding: Reported) -> bool:
        return bool(finding.edits or finding.change)

    found = [f for case in cases(rule.page) for f in run(MemoryTree(case.files), [rule]).findings]
    shown = any(case.kind == "fixed" for case in cases(rule.page))
    assert shown == any(repairs(finding) for finding in found)


def test_enough_rules_repair() -> None:
    assert len({param.values[0].code for param in FIXED}) >= 12
