"""Answers with evidence: right passages, sources, a look at the project, and what is not known."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from neondba import capabilities
from neondba.assistant import ask_look, knowledge
from neondba.assistant.ask import answered
from neondba.assistant.ask_answer import CLOSE, laid_out
from neondba.assistant.ask_index import Hit, Index, index
from neondba.assistant.ask_leaning import Leaning, count
from neondba.assistant.ask_results import Answered
from neondba.assistant.ask_words import telling
from neondba.assistant.knowledge import FIGURE, MARK, filled
from neondba.assistant.passage import Passage, cut, passages
from neondba.assistant.requests import REQUESTS
from neondba.assistant.skill import Skill
from neondba.core.context import Context
from neondba.core.settings import Settings

capabilities.load()
QUESTIONS = tomllib.loads(Path(__file__).with_name("questions.toml").read_text())["question"]


@pytest.fixture
def ctx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    # A busy machine reads more slowly than a person waits.
    monkeypatch.setattr(ask_look, "PATIENCE", 60.0)
    return Context(settings=Settings(state_dir=tmp_path / "state"), folder=tmp_path)


@cache
def told(question: str) -> Answered:
    return answered(Context(folder=Path("/")), question, look_here=False)


def test_of_the_recorded_questions_nearly_all_find_their_skill_first() -> None:
    right = 0
    for question in QUESTIONS:
        made = told(question["text"])
        skills = {each.skill for each in made.passages} if made.kind == "question" else set()
        got = made.passages[0].skill if made.kind == "answer" else made.kind
        right += bool({question["skill"], *question.get("also", [])} & {got, *skills})
    assert right / len(QUESTIONS) >= 0.85


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.name)
def test_each_request_of_the_seed_is_answered_with_commands(request_) -> None:
    made = told(request_.text().splitlines()[0])
    assert made.kind == "answer"
    assert made.passages[0].skill == request_.skill
    assert "neondba " in " ".join(made.steps)


@pytest.mark.parametrize(
    "question",
    [
        "how do I bake bread?",
        "asdf",
        "translate my page to german",
        "P1001 at 10.0.0.1:3306, it is my MariaDB",
    ],
)
def test_what_is_not_known_is_said(question: str) -> None:
    made = told(question)
    assert made.kind == "unknown"
    assert made.said.startswith("I don't know")
    assert not made.steps


@pytest.mark.parametrize("passage", passages(), ids=lambda each: each.address)
def test_all_that_a_passage_says_is_shown(passage: Passage) -> None:
    shown = " ".join(laid_out([Hit(passage, 1.0)]).as_text(80).split())
    for line in filled(MARK.sub("", passage.text)).splitlines():
        words = re.sub(r"^(\d+\. |Trade-off: |Ask for help: |```.*)", "", line.strip()).split()
        for begin in range(0, len(words), 4):
            assert " ".join(words[begin : begin + 4]) in shown, line


def test_what_is_copied_stays_on_one_line() -> None:
    code = "`NODE_OPTIONS='--dns-result-order=ipv4first --no-network-family-autoselection' npm run dev`"
    made = Answered(kind="answer", said=f"Rule IPv6 out: {code}.", steps=(f"Or in a step: {code}",))
    assert made.as_text(60).count(code) == 2


def test_every_answer_names_its_sources() -> None:
    for question in QUESTIONS:
        made = told(question["text"])
        if made.kind == "answer":
            assert made.sources, question["text"]
            assert not FIGURE.search(made.model_dump_json())
            assert "[^" not in made.model_dump_json()


def test_a_short_question_that_can_mean_several_things_is_asked_back() -> None:
    made = told("connections")
    assert made.kind == "question"
    assert made.said.startswith("Which of these do you mean?")
    assert len(made.next) >= 2
    assert "See also" not in made.as_text(80), "what is asked back is not said twice"


def test_an_answer_is_headed_by_the_question_that_it_answers() -> None:
    made = told("why do my connections die after five minutes?")
    assert made.as_text(80).splitlines()[0] == made.passages[0].title


def test_a_step_is_followed_by_its_block_and_neighbours_say_what_they_hold() -> None:
    made = told("How do I configure Prisma with Neon?")
    assert made.passages[0].title == "Configure Prisma with Neon"
    lines = made.as_text(80).splitlines()
    step = next(number for number, line in enumerate(lines) if line.startswith("  3. "))
    assert any("new PrismaPg({" in line for line in lines[step : step + 8])
    assert not made.snippets, "each block belongs to a step"
    assert any(each.short for each in made.passages[1:])


@pytest.mark.parametrize(("behind", "said"), [(0.5 * CLOSE, True), (1.5 * CLOSE, False)])
def test_a_second_passage_is_said_only_where_it_comes_near(behind: float, said: bool) -> None:
    first, second = (
        next(each for each in passages() if each.title == title)
        for title in ("Configure Prisma with Neon", "Why do my connections die after five minutes?")
    )
    made = laid_out([Hit(first, 9.0), Hit(second, 9.0 - behind)])
    text = made.as_text(80)
    assert ("suspended" in made.otherwise) is said
    assert (f"Or did you mean: {second.title}" in text) is said
    assert text.count(f"neondba ask '{second.title}'") == said
    assert ("See also" in text) is not said, "what is said is not named again"
    own = {each.line for each in knowledge.named(second.text.partition("\n\n")[0])}
    assert own
    assert own.issubset(made.sources) is said


def test_a_table_is_shown_as_it_is_written() -> None:
    made = told("Pooled or direct connection?")
    assert any("| migrations | direct |" in block for block in made.snippets)


def test_an_error_text_is_explained(ctx: Context) -> None:
    made = answered(ctx, "TypeError: connect() got an unexpected keyword argument 'sslmode'")
    assert made.looked_at[0].operation == "neondba connection explain"
    assert "knows ssl but neither sslmode" in made.looked_at[0].seen[0]
    assert any("--driver asyncpg" in step for step in made.steps)


def test_what_was_read_in_the_project_comes_with_file_and_line(ctx: Context) -> None:
    secret = "npg_" + "x4Kq9ZtLw2Vb"
    (ctx.folder / "app.py").write_text(
        f'URL = "postgresql://app:{secret}@ep-x-1.us-east-2.aws.neon.tech/neondb?sslmode=require"\n'
    )
    made = answered(ctx, "a connection string was committed to our git repository, what do I do first?")
    assert made.passages[0].skill == "neon-authentication-security"
    seen = [line for each in made.looked_at for line in each.seen]
    assert any(line.startswith("app.py:1  ") for line in seen)
    assert secret not in made.model_dump_json()
    assert any("--look" in line for line in made.not_checked)


def test_a_command_line_looks_at_the_files_too(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "neondba", "ask", "what is lost behind the pooler?"],
        cwd=tmp_path,
        env={**os.environ, "NEONDBA_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    assert "No operation is called" not in made.stdout


def test_a_folder_that_cannot_be_read_is_said_and_the_answer_given(ctx: Context) -> None:
    made = answered(ctx, "why do my connections die after five minutes?")
    assert made.kind == "answer"
    assert [line for line in made.not_checked if line.startswith("your files: ")]


def test_words_tell_what_a_question_is_about() -> None:
    assert telling("How do I connect my APP to the app?") == ["connect", "app"]
    assert index().is_ours("migrate from MySQL to Neon")
    assert not index().is_ours("MySQL connection refused")


def test_a_question_that_is_written_down_is_ours_whatever_words_it_has() -> None:
    some = passages()[0]
    ours = replace(some, asked=(*some.asked, "gardening with my aunt"))
    unlike = Index((ours,), {}, ("roses for an aunt who likes gardening with me",) * 99)
    assert unlike.is_ours("gardening with my aunt?")
    assert not unlike.is_ours("roses for gardening?")


def test_a_short_word_is_no_piece_of_a_longer_one() -> None:
    db = sqlite3.connect(":memory:")
    count(db, [["p2050x"], ["pool"]])
    leaning = Leaning(db)
    assert leaning.of(["5"], range(2)) == {0: 0.0, 1: 0.0}
    assert leaning.of(["p2051"], range(2))[0] > leaning.of(["p2051"], range(2))[1]


def test_a_heading_in_a_block_of_code_begins_no_passage() -> None:
    skill = Skill(
        "neon-x", "d", "## One\n<!-- asked: a; b -->\ntext\n```bash\n## no\n```\n## Two\nmore\n", {}
    )
    found = list(cut(skill))
    assert [each.title for each in found] == ["One", "Two"]
    assert found[0].asked == ("a", "b")
    assert "## no" in found[0].text


def test_the_passage_whose_own_words_are_asked_comes_first() -> None:
    def passage(title: str, asked: str, text: str) -> Passage:
        return Passage("s", "SKILL.md", title, text, (asked,), ())

    made = Index(
        (
            passage("Pools", "how large is a pool", "Pools hold connections for restore and branches."),
            passage("Restore", "go back in time", "A branch is put back."),
        ),
        {},
    )
    assert made.search("can I go back in time with my branch")[0].passage.title == "Restore"
    assert made.search("???") == []
