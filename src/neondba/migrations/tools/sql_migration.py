"""A migration that is made of SQL, and the transactions it is carried out in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from neondba.postgres.alone import stands_alone
from neondba.postgres.applied import Part, parts_of
from neondba.postgres.statement import Statement, Transaction
from neondba.postgres.statements import parse
from neondba.project.alembic_runner.history import Revision


class Mode(StrEnum):
    """How a tool runs the statements of one file."""

    TOGETHER = "together"
    """In one transaction, or sent as one text, which is the same; a single statement runs as it is."""
    WRAPPED = "wrapped"
    """In one transaction, even a single statement."""
    SEPARATE = "separate"
    """Each on its own, as the file's mark asks for."""
    SPLIT = "split"
    """Together, except for those that no transaction takes."""


@dataclass(frozen=True)
class Script:
    """The text of one direction."""

    text: str
    mode: Mode = Mode.TOGETHER
    line: int = 1
    """Where it starts in its file."""

    @property
    def statements(self) -> list[Statement]:
        """What it consists of, in order."""
        return parse(self.text, self.line)


@dataclass(frozen=True)
class SqlMigration:
    """One migration: the way up, and the way down where there is one."""

    id: str
    """What the tool records."""
    title: str
    files: tuple[Path, ...]
    up: Script
    down: Script | None = None
    recorded: dict[str, str] = field(default_factory=dict)
    """What else the tool writes down of it: a checksum, a moment."""

    def revision(self, before: str | None) -> Revision:
        """Give it in the words that all tools share."""
        empty = self.down is not None and not self.down.statements
        return Revision(
            id=self.id,
            parents=(before,) if before else (),
            file=str(self.files[0]),
            title=self.title,
            downgrade="missing" if self.down is None else "empty" if empty else "written",
        )


def parts(name: str, script: Script, record: Sequence[str]) -> tuple[Part, ...]:
    """Lay a script out in transactions, the tool's own record in the last of them."""
    found: list[Part] = []
    for block, mode in _blocks(script):
        found += _laid_out(name, block, mode)
    if found and not found[-1].alone:
        last = found.pop()
        return (*found, Part(name=name, statements=(*last.statements, *record)))
    return (*found, Part(name=name, statements=tuple(record))) if record else tuple(found)


def _blocks(script: Script) -> Iterator[tuple[list[Statement], Mode]]:
    """Cut where the file itself begins and ends transactions."""
    block: list[Statement] = []
    mode = script.mode
    for statement in script.statements:
        action = statement.action
        if isinstance(action, Transaction) and action.kind in ("begin", "commit", "rollback"):
            if block and action.kind != "rollback":
                yield block, mode
            block = []
            mode = Mode.WRAPPED if action.kind == "begin" else script.mode
            continue
        block.append(statement)
    if block:
        yield block, mode


def _laid_out(name: str, block: list[Statement], mode: Mode) -> Iterator[Part]:
    if mode is Mode.SPLIT or (mode is Mode.TOGETHER and len(block) == 1):
        yield from parts_of(name, [(each.text, not stands_alone(each)) for each in block])
    elif mode is Mode.SEPARATE:
        yield from (Part(name=name, statements=(e.text,), alone=stands_alone(e)) for e in block)
    else:
        yield Part(name=name, statements=tuple(each.text for each in block))
