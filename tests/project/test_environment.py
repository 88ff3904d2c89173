"""Variables: which files set them and which code reads them."""

from __future__ import annotations

from neondba.project.environment import Environment, env_file
from neondba.project.facts import Facts
from neondba.project.tree import MemoryTree


def environment(**files: str) -> Environment:
    return Facts(
        MemoryTree({name.replace("__", "/").replace("_dot_", "."): t for name, t in files.items()})
    ).get(Environment)


def test_entries_are_read_as_shells_read_them() -> None:
    text = "# comment\nexport A=1\nB='two # words'  # why\nC=three # why\n\nD=\"\"\nnot an entry\n"
    entries = env_file(".env", text).entries
    assert [(e.key, e.value.reveal(), e.line) for e in entries] == [
        ("A", "1", 2), ("B", "two # words", 3), ("C", "three", 4), ("D", "", 6),
    ]  # fmt: skip


def test_reads_of_python_are_found_with_their_defaults() -> None:
    code = (
        "import os\nfrom os import getenv\nA = os.environ['A']\nB = os.getenv('B', 'x')\nC = getenv('C')\n"
        "D = os.environ.get('D', 3)\nos.environ['E'] = 'set'\n"
    )
    reads = {r.name: (r.line, r.default, r.required) for r in environment(app_dot_py=code).reads}
    assert reads == {"A": (3, None, True), "B": (4, "x", False), "C": (5, None, True), "D": (6, None, False)}


def test_fields_of_a_settings_class_are_variables() -> None:
    code = (
        "from pydantic import Field\nfrom pydantic_settings import BaseSettings\n\nclass "
        "Settings(BaseSettings):\n"
        "    database_url: str\n    debug: bool = False\n    secret: str = Field(...)\n    name: str = "
        "Field('shop')\n"
    )
    reads = {r.name: (r.default, r.required, r.from_class) for r in environment(app_dot_py=code).reads}
    assert reads == {
        "DATABASE_URL": (None, True, "Settings"),
        "DEBUG": (None, False, "Settings"),
        "SECRET": (None, True, "Settings"),
        "NAME": ("shop", False, "Settings"),
    }


def test_reads_of_typescript_and_prisma_are_found() -> None:
    found = environment(
        src__db_dot_ts='const a = process.env.A ?? "x";\nconst b = process.env["B"]!;\n',
        prisma__schema_dot_prisma='url = env("DATABASE_URL")\n',
    )
    assert {(r.name, r.default) for r in found.reads} == {("A", "x"), ("B", None), ("DATABASE_URL", None)}


def test_examples_and_tests_are_told_apart() -> None:
    assert env_file(".env.example", "").is_example
    assert env_file("web/.env.local.sample", "").is_example
    assert env_file(".env.test", "").is_test
    assert not env_file(".env.production", "").is_example
