"""The skills: every fact has a source, every operation exists, every command and block runs or compiles."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from neondba import capabilities
from neondba.assistant import knowledge
from neondba.assistant.passage import FENCE, Passage, passages
from neondba.assistant.skill import NAMES, skills
from neondba.core.operation import Operation
from neondba.core.plan import Effect
from neondba.core.secret import Secret
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import neon_like_database, scratch_server
from neondba.project.typescript.grammar import faults, parsed
from neondba.surfaces import options
from neondba.surfaces.parse import own_words, parse
from neondba.surfaces.shape import arguments_of

REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
INLINE = re.compile(r"`(neondba [^`]+)`")
PAGES = [(skill.name, page, text) for skill in skills().values() for page, text in skill.files.items()]
BLOCKS = [
    (f"{name}/{page}", block["kind"], block["text"])
    for name, page, text in PAGES
    for block in BLOCK.finditer(text)
]


def of_kind(*kinds: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{where}-{n}") for n, (where, kind, text) in enumerate(BLOCKS) if kind in kinds
    ]


def commands() -> Iterator[str]:
    for _, _, text in PAGES:
        yield from INLINE.findall(text)
    for _, kind, text in BLOCKS:
        if kind in ("bash", "sh", "shell"):
            joined = text.replace("\\\n", " ")
            yield from (line.strip() for line in joined.splitlines() if line.strip().startswith("neondba "))


def told(passage: Passage) -> list[str]:
    """Give the paragraphs that state something: no steps, code, advice on whom to ask."""
    plain = FENCE.sub("", passage.text)
    parts = [part.strip() for part in re.split(r"\n\s*\n", plain) if part.strip()]
    return [part for part in parts if not re.match(r"\d+\. |Ask for help: |#", part)]


def test_all_twelve_are_written() -> None:
    assert set(skills()) == set(NAMES)


@pytest.mark.parametrize("name", list(skills()))
def test_a_skill_is_short_says_when_to_use_it_and_names_its_pages(name: str) -> None:
    skill = skills()[name]
    assert 60 <= len(skill.description) <= 300
    assert "Use it" in skill.description
    assert skill.body.count("\n") <= 130
    for page in skill.pages:
        assert f"]({page})" in skill.body, page
    for linked in re.findall(r"\]\((references/[^)#]+)", skill.body):
        assert linked in skill.pages
    assert len([each for each in passages() if each.skill == name]) >= 6


@pytest.mark.parametrize("passage", passages(), ids=lambda each: each.address)
def test_a_passage_is_found_by_questions_and_looks_before_it_speaks(passage: Passage) -> None:
    assert len(passage.asked) >= 3
    known = capabilities.load()
    assert [name for name in passage.looks if known[name].effect is not Effect.READ] == []


@pytest.mark.parametrize("passage", passages(), ids=lambda each: each.address)
def test_every_fact_has_its_source(passage: Passage) -> None:
    for mark in knowledge.MARK.finditer(passage.text):
        tag = mark["tag"]
        assert knowledge.source(tag) is not None, tag
        if tag.startswith("shown:"):
            assert (REPOSITORY / tag.removeprefix("shown:")).is_file(), tag
    for figure in knowledge.FIGURE.finditer(passage.text):
        assert figure["name"] in knowledge.figures(), figure["name"]
    assert "{{" not in knowledge.FIGURE.sub("", FENCE.sub("", passage.text)), "a figure broken in two"
    for part in told(passage):
        assert knowledge.MARK.search(part) or knowledge.FIGURE.search(part), part
    assert not re.search(r"\$\s?\d", FENCE.sub("", passage.text)), "prices stand in neon/prices.py"


@cache
def operation_of(words: tuple[str, ...]) -> tuple[Operation, int]:
    known = {each.words: each for each in capabilities.load().values()}
    for length in (2, 1):
        if words[:length] in known:
            return known[words[:length]], length
    raise AssertionError(f"no operation: neondba {' '.join(words)}")


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_exists_and_takes_what_it_is_given(command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    assert words
    if words[0] in ("mcp", "serve") or words == ["--help"]:
        return
    operation, length = operation_of(tuple(words[:2]))
    rest = [word for word in own_words(words[length:]) if word != "…"]
    if "--format" in rest:  # every operation's; the surface takes it out
        at = rest.index("--format")
        del rest[at : at + 2]
    turned = [flag for flag in operation.turns if flag in rest]
    if turned:
        return
    taken = arguments_of(operation)
    names = {each.name for each in taken}
    arguments = [*taken, *(each for each in options.every() if each.name not in names)]
    values = parse(rest, arguments, command)
    own = {parameter.name for parameter in operation.parameters}
    given = {name: value for name, value in values.items() if name in own}
    if "--" not in words:
        operation.arguments.model_validate(given)


@pytest.fixture(scope="module")
def database() -> Iterator[Secret]:
    with scratch_server() as server:
        yield neon_like_database(server, "skills")


@pytest.mark.parametrize("text", of_kind("sql"))
def test_sql_runs_on_postgres(text: str, database: Secret) -> None:
    with connect(database) as session:
        session.execute("drop schema if exists public cascade; create schema public")
        session.execute(
            "create table users (id bigint generated always as identity primary key, email text);"
            "create table orders (id bigint generated always as identity primary key,"
            " user_id bigint references users (id), total numeric, created_at timestamptz default now())"
        )
        session.execute(trusted(text))


@pytest.mark.parametrize("text", of_kind("python", "py"))
def test_python_compiles(text: str) -> None:
    ast.parse(text)


@pytest.mark.parametrize("text", of_kind("ts", "typescript", "js", "tsx"))
def test_typescript_parses(text: str) -> None:
    assert faults(parsed("x.ts", text)) == []


@pytest.mark.parametrize("text", of_kind("yaml", "yml", "toml", "json"))
def test_configuration_parses(text: str) -> None:
    if "=" in text and ":" not in text.split("=")[0]:
        tomllib.loads(text)
    else:
        yaml.safe_load(text)


@pytest.mark.parametrize("text", of_kind("bash", "sh", "shell"))
def test_shell_parses(text: str) -> None:
    subprocess.run(["bash", "-n", "-c", text], check=True, capture_output=True)


def test_no_block_is_of_a_kind_that_nobody_checks() -> None:
    checked = {"sql", "python", "py", "ts", "typescript", "js", "tsx", "yaml", "yml", "toml", "json", "bash",
               "sh", "shell", "text", "prisma", "dotenv"}  # fmt: skip
    assert {kind for _, kind, _ in BLOCKS} <= checked


def test_no_connection_string_with_a_password_stands_in_a_skill() -> None:
    for name, page, text in PAGES:
        assert not re.search(r"postgres(?:ql)?://[^\s:@/]+:[^\s@$*{<]+@", text), f"{name}/{page}"


def test_each_page_is_read_as_the_whole_list_has_it() -> None:
    whole = tomllib.loads((Path(knowledge.__file__).with_name("sources.toml")).read_text(encoding="utf-8"))
    assert len(whole) > 300
    assert [tag for tag, each in whole.items() if knowledge.page(tag) != knowledge.Source(tag, **each)] == []
    assert knowledge.page("none-of-them") is None


def test_a_rendered_page_has_its_figures_and_its_sources() -> None:
    for name, page, text in PAGES:
        shown = knowledge.published(text)
        assert not re.search(r"(?<!\$)\{\{", shown), f"{name}/{page}"
        assert "<!-- asked" not in shown
        for mark in knowledge.MARK.finditer(text):
            assert f"[^{mark['tag']}]: " in shown
