"""What is applied to a database, how patiently, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

LOCK_TIMEOUT: Final = 2.0
_PASSWORD: Final = re.compile(
    r"password\s+(?:E?'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$)", re.IGNORECASE | re.DOTALL
)


class Part(BaseModel):
    """What takes effect together: the statements of one transaction, or one that refuses to be in any."""

    model_config = ConfigDict(frozen=True)

    name: str
    """What the user calls it: a migration, a merge."""
    statements: tuple[str, ...]
    alone: bool = False
    """True for the one statement that cannot run inside a transaction."""


class Patience(BaseModel):
    """How long each lock is waited for, and how often."""

    model_config = ConfigDict(frozen=True)

    lock_timeout: float = Field(LOCK_TIMEOUT, gt=0)
    """Seconds that a statement waits for a lock; whoever comes behind it waits as long."""
    lock_timeout_alone: float = Field(60.0, gt=0)
    """The same for CONCURRENTLY, behind which no reader or writer waits."""
    limit: float = Field(120.0, ge=0)
    """Seconds over all tries of one part; no try begins after that."""
    first_pause: float = Field(0.5, gt=0)
    longest_pause: float = Field(10.0, gt=0)


class StatementRun(BaseModel):
    """One statement that was carried out."""

    text: str
    seconds: float
    rows: int | None = None
    """Rows that it inserted, changed or deleted."""


class Wait(BaseModel):
    """One try that did not get its lock."""

    seconds: float
    statement: str
    said: str
    """The server's words."""
    held_by: str | None = None
    """The session that was in the way, where it was seen."""


class PartRun(BaseModel):
    """What became of one part."""

    name: str
    alone: bool = False
    statements: tuple[StatementRun, ...] = ()
    waits: tuple[Wait, ...] = ()
    """Tries before the one that went through."""
    seconds: float = 0.0
    """From the first try's start to the commit."""

    @property
    def tries(self) -> int:
        """How often it was begun."""
        return len(self.waits) + 1


class Applied(BaseModel):
    """All parts, applied."""

    parts: tuple[PartRun, ...] = ()
    seconds: float = 0.0
    cleaned: tuple[str, ...] = ()
    """Invalid indexes that failed tries had left and that were dropped again."""

    @property
    def retries(self) -> int:
        """Tries that did not get their lock."""
        return sum(len(part.waits) for part in self.parts)

    @property
    def waited(self) -> float:
        """Seconds spent on tries that did not get their lock."""
        return sum(wait.seconds for part in self.parts for wait in part.waits)


def parts_of(name: str, statements: Iterable[tuple[str, bool]]) -> tuple[Part, ...]:
    """Gather neighbours into one transaction; each statement comes with whether it may be in one."""
    found: list[Part] = []
    together: list[str] = []
    for text, in_transaction in statements:
        if in_transaction:
            together.append(text)
            continue
        if together:
            found.append(Part(name=name, statements=tuple(together)))
        together = []
        found.append(Part(name=name, statements=(text,), alone=True))
    return (*found, Part(name=name, statements=tuple(together))) if together else tuple(found)


def without_passwords(text: str) -> str:
    """Blank what a statement sets as a password."""
    return _PASSWORD.sub("password '***'", text)


def brief(text: str, most: int = 90) -> str:
    """Give a statement on one short line, without passwords."""
    line = " ".join(without_passwords(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
