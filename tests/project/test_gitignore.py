"""Our reading of .gitignore agrees with git's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neondba.project.gitignore import Ignores, rules_of
from neondba.project.tree import MemoryTree

PATTERNS = [
    ".env", ".env*", "!.env.example", ".env.*", "/.env", "*.env", "backend/.env", "backend/", "**/.env",
    "backend/**", "!backend/", "!backend/.env", "a/**/b", "[.]env", "[!a]env", "?env", "# comment", "", "  ",
    "\\#env", "\\!env", ".env ", "*", "!*/", "a/*", "*/.env", ".env.local", "!.env", "build", "dist/",
]  # fmt: skip
PATHS = [
    ".env", ".env.example", "backend/.env", "backend/.env.example", "a/b", "a/x/b", "a/x/y/b", "#env", "!env",
    "benv", "build", "dist/x", "a/.env", "backend/app/.env.local",
]  # fmt: skip


def git(folder: Path, *arguments: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", "-c", "core.excludesFile=", "-C", folder, *arguments], capture_output=True, **more
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ignores")
    git(folder, "init", "-q")
    for path in PATHS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PATTERNS), max_size=6), st.lists(st.sampled_from(PATTERNS), max_size=4))
def test_a_path_is_ignored_when_git_says_so(repository: Path, top: list[str], nested: list[str]) -> None:
    files = {".gitignore": "\n".join(top) + "\n", "backend/.gitignore": "\n".join(nested) + "\n"}
    for path, text in files.items():
        (repository / path).write_text(text)
    asked = "\0".join(PATHS).encode() + b"\0"
    answer = git(repository, "check-ignore", "--no-index", "-z", "--stdin", input=asked).stdout
    expected = set(answer.decode().split("\0")) - {""}
    ignores = Ignores.gather(MemoryTree(files))
    assert {p for p in PATHS if ignores.ignores(p)} == expected


def test_the_rule_that_decides_is_named_with_its_line() -> None:
    ignores = Ignores({"": rules_of(".gitignore", "# variables\n.env*\n")})
    rule = ignores.deciding(".env.example")
    assert rule is not None
    assert (rule.line, rule.text) == (2, ".env*")
