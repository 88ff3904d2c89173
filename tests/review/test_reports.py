"""The report in each of its forms."""

import json

import pytest

from neondba.core.proof import Line, Proof, Shown
from neondba.project.facts import Unparsed
from neondba.review.engine import NotChecked, Suppressed
from neondba.review.finding import Category, Evidence, Reported, Severity
from neondba.review.model import Review
from neondba.review.verdict import Sight, verdicts


def review(count: int = 1) -> Review:
    findings = [
        Reported(
            rule="NDB601", name="a-fault", category=Category.MIGRATION, severity=Severity.HIGH,
            path="migrations/1.sql", line=number + 2, message="Writes to orders wait.",
            steps=["Build it concurrently."], snippet="create index concurrently i on orders (id);",
            evidence=Evidence(text="create index i on orders (id);"),
        )
        for number in range(count)
    ]  # fmt: skip
    proofs = [
        Proof(
            claim="migrations", shown=Shown.FAILS, summary="1 of 2 revisions", missing="a seed", seconds=1.25,
            lines=(Line(subject="0002", shown=Shown.FAILS, text="down loses 3 rows of orders"),),
        )
    ]  # fmt: skip
    return Review(
        project=".", files=2, lines=30, seconds=0.5, verdicts=verdicts(findings, proofs, Sight()),
        findings=findings, proofs=proofs, next=["neondba rule show NDB601"],
        suppressed=[Suppressed(rule="NDB101", path="a.md", line=3, reason="invented")],
        not_checked=[NotChecked(what="NDB801 x", missing="no database")],
        unparsed=[Unparsed(path="b.py", line=7, reason="invalid syntax")],
    )  # fmt: skip


def test_the_terminal_report_tells_everything_in_the_order_it_is_needed() -> None:
    text = review().as_text(90)
    landmarks = [
        "Review of .", "1 high", "The five duties", "not met", "The four success criteria",
        "migrations/1.sql:2", "NDB601 a-fault", "Writes to orders wait.", "read: create index i",
        "1. Build it concurrently.", "create index concurrently", "Shown on a branch: migrations",
        "0002: down loses 3 rows", "missing: a seed", "Not checked", "no database", "invalid syntax: b.py:7",
        "Suppressed", "invented", "Next", "neondba rule show NDB601",
    ]  # fmt: skip
    places = [text.index(mark) for mark in landmarks]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [20, 60, 100, 400])
def test_the_terminal_report_keeps_within_the_width(width: int) -> None:
    whole = ("migrations/1.sql", "create index")
    rows = [row for row in review(30).as_text(width).split("\n") if not any(part in row for part in whole)]
    assert max(len(row) for row in rows) <= max(72, min(width, 110))


def test_many_findings_are_told_in_full_first_and_in_a_line_each_after() -> None:
    text = review(40).as_text(100)
    assert text.count("Writes to orders wait.") == 25
    assert "migrations/1.sql:41" in text
    assert len(text.split("\n")) < 25 * 7 + 80


def test_a_clean_review_says_so() -> None:
    clean = review().model_copy(update={"findings": [], "proofs": []})
    assert "no findings" in clean.as_text(90)
    assert "Findings (" not in clean.as_text(90)


def test_markdown_holds_verdicts_findings_and_gaps() -> None:
    text = review().as_markdown()
    for part in (
        "| **not met** |",
        "### high: `migrations/1.sql:2`",
        "1. Build it",
        "`0002`",
        "b.py:7",
        "invented",
    ):
        assert part in text


def test_markdown_does_not_let_a_project_write_markup() -> None:
    evil = review().model_copy(update={"project": "<script>alert(1)</script>"})
    assert "<script>" not in evil.as_markdown()


def test_sarif_names_each_rule_once_and_places_each_finding() -> None:
    log = json.loads(json.dumps(review(2).as_sarif()))
    [run] = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["NDB601"]
    places = [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"]]
    assert places == [2, 3]
    assert {r["level"] for r in run["results"]} == {"error"}


def odd(**changes: str) -> Review:
    [finding] = review().findings
    return review().model_copy(update={"findings": [finding.model_copy(update=changes)]})


def test_sarif_places_are_addresses() -> None:
    [run] = odd(path="a b/é.py").as_sarif()["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "a%20b/%C3%A9.py"


def test_a_long_snippet_is_cut_and_counted() -> None:
    text = odd(snippet="\n".join(f"NAME_{n}=" for n in range(30))).as_text(90)
    assert "NAME_19=" in text
    assert "NAME_20=" not in text
    assert "and 10 more lines" in text


def test_a_snippet_starts_at_the_margin_and_keeps_its_shape() -> None:
    indented = odd(snippet="    if x:\n        y()")
    assert "\n        if x:\n            y()\n" in indented.as_text(90)
    assert "```\nif x:\n    y()\n```" in indented.as_markdown()


def test_a_path_with_a_line_break_stays_on_its_line() -> None:
    assert "new\N{REPLACEMENT CHARACTER}line.py:2  NDB601" in odd(path="new\nline.py").as_text(90)
