"""Nothing of a project steers what a report is read with: terminals, browsers, GitHub, SARIF readers."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from neondba.core.proof import Line, Proof, Shown
from neondba.project.facts import Unparsed
from neondba.review.engine import NotChecked, Suppressed
from neondba.review.finding import Category, Evidence, EvidenceKind, Reported, Severity
from neondba.review.model import Compared, Review
from neondba.review.verdict import Sight, verdicts
from neondba.surfaces import render_rich

EVIL = (
    "a\x1b]0;owned\x07\n::error::x\r\u202e<script>alert(1)</script>"
    "![x](javascript:alert(1)) @team `b` | c %0A"
)


def review(text: str = EVIL, **changes: object) -> Review:
    """Give a report whose every text comes from somebody hostile."""
    finding = Reported(
        rule="NDB601", name="a-fault", category=Category.MIGRATION, severity=Severity.HIGH, path=text, line=3,
        message=text, steps=[text], snippet=text, evidence=Evidence(text=text), way=[f"{text}:4 {text}"],
        repair=text, ignore=text, fingerprint="0123456789abcdef",
    )  # fmt: skip
    lines = (Line(subject=text, shown=Shown.FAILS, text=text),)
    made = Review(
        project=text, files=2, lines=30, seconds=0.5,
        verdicts=verdicts([finding], [], Sight()), findings=[finding],
        proofs=[Proof(claim="migrations", shown=Shown.FAILS, summary=text, missing=text, lines=lines)],
        suppressed=[Suppressed(rule="NDB101", path=text, line=3, reason=text)],
        not_checked=[NotChecked(what=text, missing=text)],
        unparsed=[Unparsed(path=text, line=7, reason=text)],
        compared=Compared(base=text, commit="0123456", older=2, baseline=text, accepted=1, stale=[text]),
        isolation="32 statements reachable: 30 bound, 2 open",
    )  # fmt: skip
    return made.model_copy(update=changes)


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for key, value in attrs if key in ("href", "src")]
        self.handlers += [key for key, _ in attrs if key.startswith("on")]


@given(st.text(min_size=1))
def test_no_format_lets_a_text_steer_a_terminal(text: str) -> None:
    made = review(text)
    for shown in (made.as_markdown(), made.as_html(), made.as_github()):
        assert [c for c in shown if not c.isprintable() and c not in "\n\t"] == []
    assert [
        c for c in render_rich.show(made, 80, colour=False) if not c.isprintable() and c not in "\n\t"
    ] == []


def test_a_page_needs_no_network_and_runs_no_script() -> None:
    page = review().as_html()
    tags = Tags(page)
    assert {"script", "img", "link", "iframe", "object"} & set(tags.tags) == set()
    assert tags.handlers == []
    assert [link for link in tags.links if not link.startswith("#f")] == []
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


@given(st.text(min_size=1).filter(str.strip))
def test_a_page_has_the_same_tags_whatever_a_project_says(text: str) -> None:
    plain = [tag for tag in Tags(review("x").as_html()).tags if tag != "code"]
    assert [tag for tag in Tags(review(text).as_html()).tags if tag != "code"] == plain


def test_a_page_shows_all_that_the_terminal_shows() -> None:
    page = review("tasks.py", compared=None).as_html()
    parts = [
        "The five duties", "NDB601", "a-fault", "How it is reached", "Shown on a branch: migrations",
        "Not checked", "Suppressed", "Isolation: 32 statements reachable: 30 bound, 2 open.",
    ]  # fmt: skip
    assert [part for part in parts if part not in page] == []


@given(st.text(min_size=1))
def test_each_finding_is_one_command_for_github(text: str) -> None:
    made = review(text)
    commands = [row for row in made.as_github().split("\n") if row.startswith("::")]
    assert len(commands) == made.as_github().count("\n")
    assert all(re.match(r"::(error|warning|notice) [^\n]*?::", row) for row in commands)
    properties = commands[0].removeprefix("::error ").partition("::")[0]
    assert [part.partition("=")[0] for part in properties.split(",")] == ["file", "line", "title"]


def test_github_names_files_from_the_top_of_the_repository() -> None:
    assert "file=backend/app/a.py,line=3," in review("app/a.py", prefix="backend/").as_github()


@example("`<")
@given(st.text(min_size=1))
def test_markdown_holds_no_tag_link_or_mention_of_a_project(text: str) -> None:
    blocks = MarkdownIt("commonmark").parse(review(text).as_markdown())
    found = [part for block in blocks for part in (block.children or [block])]
    assert {part.content.strip() for part in found if part.type.startswith("html")} <= {"<!-- -->"}
    assert not [part for part in found if part.type in ("link_open", "image")]
    for part, after in pairwise(found):
        if part.type == "text" and "@" in part.content:
            assert part.content.endswith("@")
            assert part.content.count("@") == 1
            assert after.type == "html_inline"


def test_sarif_tells_the_way_and_keeps_its_fingerprint() -> None:
    made = review("app/a.py", prefix="backend/")
    [run] = json.loads(json.dumps(made.as_sarif()))["runs"]
    [result] = run["results"]
    assert result["partialFingerprints"] == {"neondba/v1": "0123456789abcdef"}
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    places = [step["location"]["physicalLocation"]["artifactLocation"]["uri"] for step in flow]
    assert places == ["backend/app/a.py", "backend/app/a.py"]
    assert run["tool"]["driver"]["rules"][0]["help"]["markdown"]


@given(st.text())
def test_sarif_takes_any_text(text: str) -> None:
    [run] = json.loads(json.dumps(review(text or "x").as_sarif()))["runs"]
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()


@pytest.mark.parametrize("kind", EvidenceKind)
def test_every_kind_of_evidence_is_named(kind: EvidenceKind) -> None:
    finding = review("a.py").findings[0].model_copy(update={"evidence": Evidence(kind=kind, text="seen")})
    made = review("a.py", findings=[finding])
    assert f"{kind}: seen" in made.as_text(100)
    assert f"{kind}: `seen`" in made.as_markdown()
    assert "seen" in made.as_html()


def test_the_way_is_a_path_in_the_terminal() -> None:
    finding = review("a.py").findings[0].model_copy(update={"way": ["a.py:4 GET /tasks", "b.py:9 load()"]})
    text = review("a.py", findings=[finding]).as_text(100)
    assert "way: a.py:4 GET /tasks\n" in text
    assert "→  b.py:9 load()" in text


def test_what_was_not_checked_is_told_in_one_line_for_each_reason() -> None:
    files = [Unparsed(path=f"data/{n}.csv", reason="larger than 4 MB: not read") for n in range(40)]
    text = review("a.py", unparsed=files, not_checked=[]).as_text(100)
    assert text.count("larger than 4 MB") == 1
    assert "and 36 more" in text


def test_an_answer_is_offered_in_the_file_s_own_comments() -> None:
    from neondba.review.suppression import comment

    assert comment("app/a.py", "NDB101") == "# neondba: ignore[NDB101] <why>"
    assert comment("src/a.tsx", "NDB101") == "// neondba: ignore[NDB101] <why>"
    assert comment("m/1.sql", "NDB101") == "-- neondba: ignore[NDB101] <why>"
    assert comment("README.md", "NDB101") == "<!-- neondba: ignore[NDB101] <why> -->"
    assert comment("Dockerfile", "NDB101").startswith("# ")
    assert '"NDB101:a.json" = ' in comment("a.json", "NDB101")


@pytest.mark.parametrize("path", ["database:public.items.owner_id", "1a2b3c4:app/settings.py"])
def test_what_stands_in_no_file_gets_no_place_in_one(path: str) -> None:
    finding = review("a.py").findings[0].model_copy(update={"path": path})
    made = review("a.py", findings=[finding])
    assert made.as_github().startswith("::error title=")
    [result] = made.as_sarif()["runs"][0]["results"]
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": path}]}]
