"""Workflows for GitHub: made for a project, written anew without losing what its people changed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from neondba.branches import workflow_text as text
from neondba.core.problem import ArgumentProblem, NotFoundProblem, Problem
from neondba.core.version import VERSION

FOLDER: Final = Path(".github/workflows")
_FIRST: Final = re.compile(r"# Written by neondba workflow write; content ([0-9a-f]{16})\.\n")
_YOURS: Final = re.compile(f"(?s)(?<={re.escape(text.YOURS)}\n).*?(?={re.escape(text.END)}\n)")
_ALEMBIC: Final = """
      - name: Install what the migrations import
        if: steps.neon.outputs.ready == 'true'
        run: python -m venv .venv && .venv/bin/pip install @WHAT@
"""


class State(StrEnum):
    """How a workflow file stands to what would be written."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "unchanged"
    EDITED = "edited by hand"
    FOREIGN = "not written by neondba"


@dataclass(frozen=True)
class Workflow:
    """One file, and what is to become of it."""

    path: Path
    content: str
    state: State

    @property
    def is_written(self) -> bool:
        """True where the file is to be written."""
        return self.state in (State.NEW, State.CHANGED)


def repository(folder: Path) -> Path:
    """Give the top of the git repository that a folder is in.

    Raises:
        NotFoundProblem: it is in none.
    """
    for place in [folder, *folder.parents]:
        if (place / ".git").exists():
            return place
    raise NotFoundProblem(
        "repository-not-found",
        f"{folder} is in no git repository, and GitHub's workflows lie at the top of one.",
        hint="Run this in the repository, or make one: git init",
    )


def workflows(folder: Path, *, options: tuple[str, ...] = ()) -> list[Workflow]:
    """Give all workflows for the project in a folder, held against the files that are there.

    Raises:
        NotFoundProblem: the folder is in no git repository.
        ArgumentProblem: the files lie outside of it, or cannot be read.
    """
    top = repository(folder).resolve()
    within = folder.resolve().relative_to(top).as_posix()
    values = {
        "CHECKOUT": text.CHECKOUT,
        "PYTHON": text.PYTHON,
        "VERSION": VERSION,
        "OPTIONS": "".join(f" {option}" for option in options),
        "FOLDER": "" if within == "." else f"\n    working-directory: {_quoted(within)}",
        "PROJECT": _dependencies(folder),
    }
    return [_made(top, name, title, body, values) for name, (title, body) in text.ALL.items()]


def _made(top: Path, file: str, title: str, body: str, values: dict[str, str]) -> Workflow:
    for key, value in {**values, "NAME": title}.items():
        body = body.replace(f"@{key}@", value)
    path = top / FOLDER / file
    if not path.resolve().is_relative_to(top):
        raise ArgumentProblem(
            "workflow-outside", f"{FOLDER / file} leads out of the repository; nothing was written."
        )
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Workflow(path, _signed(body), State.NEW)
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentProblem("workflow-unreadable", f"{FOLDER / file} cannot be read: {error}.") from None
    return _against(path, there, body)


def _against(path: Path, there: str, body: str) -> Workflow:
    signed = _FIRST.match(there)
    if signed is None:
        return Workflow(path, there, State.FOREIGN)
    if signed[1] != _hash(there[signed.end() :]):
        return Workflow(path, there, State.EDITED)
    if kept := _YOURS.search(there):
        body = _YOURS.sub(lambda _found: kept[0], body)
    content = _signed(body)
    return Workflow(path, content, State.SAME if content == there else State.CHANGED)


def _signed(body: str) -> str:
    return f"# Written by neondba workflow write; content {_hash(body)}.\n{body}"


def _hash(body: str) -> str:
    """Give the hash of everything but the steps that are the users' own."""
    return hashlib.sha256(_YOURS.sub("", body.replace("\r\n", "\n")).encode()).hexdigest()[:16]


def _dependencies(folder: Path) -> str:
    """Give the step that installs a project for its own Alembic; other tools' files need none."""
    from neondba.project.alembic_runner.locate import alembic_config

    try:
        alembic_config(folder)
    except Problem as problem:
        if problem.code == "alembic-not-found":
            return ""
    if (folder / "requirements.txt").is_file():
        return _ALEMBIC.replace("@WHAT@", "-r requirements.txt")
    return _ALEMBIC.replace("@WHAT@", ".") if (folder / "pyproject.toml").is_file() else ""


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
