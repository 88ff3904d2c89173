"""Every rule's page is run: its findings stand exactly where the page says."""

import re
from pathlib import Path

import pytest

from neondba.capabilities import load
from neondba.project.tree import MemoryTree
from neondba.review.engine import run
from neondba.review.finding import Category
from neondba.review.page import Case, cases
from neondba.review.rule import Rule, rules

CASES = [
    pytest.param(rule, case, id=f"{rule.code}-{case.name}")
    for rule in rules().values()
    for case in cases(rule.page)
] + [
    pytest.param(rules()[case.rule], case, id=f"{file.stem}-{case.rule}-{case.name}")
    for file in sorted((Path(__file__).parent / "cases").glob("*.md"))
    for case in cases(file.read_text())
]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_findings_stand_where_the_page_marks_them(rule: Rule, case: Case) -> None:
    outcome = run(MemoryTree(case.files), [rule])
    assert outcome.not_checked == []
    assert {(f.path, f.line) for f in outcome.findings} == case.expected


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.code)
def test_a_page_says_the_fault_why_what_instead_and_when_not(rule: Rule) -> None:
    assert 0 < len(rule.title) <= 80
    assert rule.title.endswith(".")
    assert "## Instead" in rule.page
    assert "## When it does not matter" in rule.page
    kinds = {case.kind for case in cases(rule.page)}
    if "```sql fault" in rule.page:
        return  # tests/review/catalog runs the pages of rules over a database
    assert {"bad", "good"} <= kinds
    assert all(case.expected for case in cases(rule.page) if case.kind == "bad")


@pytest.mark.parametrize("category", Category)
def test_each_category_has_at_least_two_rules(category: Category) -> None:
    assert sum(rule.category is category for rule in rules().values()) >= 2


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.code)
def test_every_finding_says_what_to_do(rule: Rule) -> None:
    for case in cases(rule.page):
        for finding in run(MemoryTree(case.files), [rule]).findings:
            assert finding.message
            assert finding.steps


COMMAND = re.compile(r"\bneondba ([a-z]+(?: [a-z-]+)?)")


def commands(text: str) -> set[str]:
    """Give the operations that a text tells the user to run, as far as they can be told."""
    known = {" ".join(o.words) for o in load().values()}
    found = set()
    for match in COMMAND.finditer(text):
        words = match[1].split(" ")
        found.add(match[1] if match[1] in known or words[0] not in known else words[0])
    return found - known


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.code)
def test_every_command_that_is_recommended_exists(rule: Rule) -> None:
    texts = [rule.page]
    for case in cases(rule.page):
        for finding in run(MemoryTree(case.files), [rule]).findings:
            texts += [finding.message, *finding.steps, finding.snippet]
    assert commands("\n".join(texts)) == set()
