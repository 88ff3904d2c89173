"""What the engine makes of the rules' findings."""

from collections.abc import Iterator

import pytest

from neondba.project.facts import Facts, Unavailable
from neondba.project.tree import MemoryTree, Tree
from neondba.review.engine import run
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import Rule


def marks(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths:
        for number, line in enumerate((tree.text(path) or "").split("\n"), start=1):
            if "fault" in line and "a-fault]" not in line:
                yield Finding(path, number, "It will break.", ("Mend it.",))


class Lines:
    @classmethod
    def gather(cls, tree: Tree) -> "Lines":
        return cls()


class Database:
    @classmethod
    def gather(cls) -> "Database":
        raise Unavailable("no database")


def needs_database(database: Database) -> Iterator[Finding]:
    yield Finding("x", 1, str(database))


def rule(check: object = marks, severity: Severity = Severity.HIGH) -> Rule:
    return Rule("NDB999", "a-fault", Category.SCHEMA, severity, check, "A fault.")  # type: ignore[arg-type]


def test_a_finding_carries_its_rule_and_the_line_it_was_read_from() -> None:
    [finding] = run(MemoryTree({"a.py": "ok\n  fault = 1\n"}), [rule()]).findings
    dumped = finding.model_dump(mode="json")
    assert len(dumped.pop("fingerprint")) == 16
    assert dumped == {
        "rule": "NDB999",
        "name": "a-fault",
        "category": "schema",
        "severity": "high",
        "path": "a.py",
        "line": 2,
        "message": "It will break.",
        "steps": ["Mend it."],
        "snippet": "",
        "evidence": {"kind": "read", "text": "fault = 1"},
        "way": [],
        "repair": "",
        "ignore": "# neondba: ignore[NDB999] <why>",
    }


def test_a_rule_whose_fact_is_missing_is_listed_as_not_checked() -> None:
    outcome = run(MemoryTree({}), [rule(needs_database)])
    assert [(gap.what, gap.missing) for gap in outcome.not_checked] == [("NDB999 a-fault", "no database")]


def test_a_rule_that_breaks_is_listed_and_the_others_go_on() -> None:
    def broken(tree: Tree) -> Iterator[Finding]:
        yield Finding(tree.paths[99], 1, "never")

    other = Rule("NDB998", "broken", Category.SCHEMA, Severity.LOW, broken, "Broken.")
    outcome = run(MemoryTree({"a.py": "fault"}), [other, rule()])
    assert [f.rule for f in outcome.findings] == ["NDB999"]
    [gap] = outcome.not_checked
    assert gap.what == "NDB998 broken"
    assert "IndexError in broken:" in gap.missing


@pytest.mark.parametrize(
    "text",
    [
        "fault  # neondba: ignore[NDB999] known since 2024",
        "# neondba: ignore[a-fault] known since 2024\nfault",
        "-- neondba: ignore[NDB101, ndb999] known since 2024\nfault",
    ],
)
def test_a_reason_on_the_line_or_the_line_above_silences_a_finding(text: str) -> None:
    outcome = run(MemoryTree({"a.sql": text}), [rule()])
    assert outcome.findings == []
    assert [known.reason for known in outcome.suppressed] == ["known since 2024"]


def test_a_suppression_without_a_reason_is_a_finding_and_silences_nothing() -> None:
    outcome = run(MemoryTree({"a.py": "fault  # neondba: ignore[NDB999]"}), [rule()])
    assert [f.rule for f in outcome.findings] == ["NDB999", "NDB001"]
    assert "no reason" in outcome.findings[1].message


def test_a_suppression_that_answers_nothing_is_a_finding() -> None:
    outcome = run(MemoryTree({"a.py": "fine  # neondba: ignore[NDB999] once"}), [rule()])
    assert [(f.rule, f.line) for f in outcome.findings] == [("NDB001", 1)]


def test_a_suppression_of_a_rule_that_did_not_run_is_left_alone() -> None:
    assert run(MemoryTree({"a.py": "x  # neondba: ignore[NDB500] why"}), [rule()]).findings == []


@pytest.mark.parametrize(
    ("file", "table"),
    [("pyproject.toml", "tool.neondba.review.ignore"), ("neondba.toml", "review.ignore")],
)
def test_a_settings_file_silences_a_rule_in_the_files_it_names(file: str, table: str) -> None:
    settings = f'[{table}]\n"NDB999:docs/*" = "for the demo"\n'
    outcome = run(MemoryTree({file: settings, "docs/a.md": "fault", "b.md": "fault"}), [rule()])
    assert [f.path for f in outcome.findings] == ["b.md"]
    assert [known.path for known in outcome.suppressed] == ["docs/a.md"]


def test_a_wish_in_a_python_string_is_no_wish() -> None:
    text = 'page = """\n# neondba: ' + 'ignore[NDB999] in an example\n"""\nfault = 1\n'
    outcome = run(MemoryTree({"a.py": text}), [rule()])
    assert [(f.rule, f.line) for f in outcome.findings] == [("NDB999", 4)]


def test_a_python_file_that_cannot_be_split_into_words_still_answers() -> None:
    text = "x = (\nfault  # neondba: " + 'ignore[NDB999] broken on purpose\n"""'
    assert run(MemoryTree({"a.py": text}), [rule()]).findings == []


def test_a_star_in_a_settings_file_silences_every_rule_in_a_folder() -> None:
    settings = '[review.ignore]\n"*:shop/*" = "broken on purpose"\n'
    outcome = run(MemoryTree({"neondba.toml": settings, "shop/a.md": "fault"}), [rule()])
    assert (outcome.findings, [k.reason for k in outcome.suppressed]) == ([], ["broken on purpose"])


def test_a_broken_settings_file_silences_nothing() -> None:
    outcome = run(MemoryTree({"neondba.toml": "[review", "b.md": "fault"}), [rule()])
    assert [f.path for f in outcome.findings] == ["b.md"]


def test_findings_come_worst_first_and_once_per_place() -> None:
    def twice(tree: Tree) -> Iterator[Finding]:
        yield from marks(tree)
        yield from marks(tree)
        yield Finding("z.py", 1, "Worse.", severity=Severity.CRITICAL)

    found = run(MemoryTree({"a.py": "fault"}), [rule(twice)]).findings
    assert [(f.path, f.severity) for f in found] == [("z.py", "critical"), ("a.py", "high")]


def test_a_quoted_line_never_shows_a_password() -> None:
    password = "hunter" + "2hunter2"
    tree = MemoryTree({"a.py": f"fault = 'postgresql://u:{password}@host/db'"})
    [finding] = run(tree, [rule()]).findings
    assert password not in finding.model_dump_json()
    assert "***" in finding.evidence.text


def test_a_fact_is_built_once() -> None:
    facts = Facts(MemoryTree({}))
    assert facts.get(Lines) is facts.get(Lines)
