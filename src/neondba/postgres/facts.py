"""What PostgreSQL does, as scripts/executed_facts.py recorded it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class StatementFact(BaseModel):
    """What one statement locks, rewrites and scans."""

    model_config = ConfigDict(frozen=True)

    sql: str
    """The statement that was executed, on a table `item` that refers to a table `owner`."""
    locks: dict[str, str | None]
    """The strongest lock on each of the two tables; nothing where none was held."""
    rewrites: bool
    """True when the whole table is written anew."""
    scans: bool | None
    """True when the table's rows are read; nothing where it was not measured."""

    @property
    def lock(self) -> str | None:
        """The lock on the table itself, such as `AccessExclusiveLock`."""
        return self.locks["item"]

    @property
    def writes_wait(self) -> bool:
        """True when INSERT, UPDATE and DELETE wait until it ends."""
        return self.lock in ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")

    @property
    def reads_wait(self) -> bool:
        """True when SELECT waits until it ends."""
        return self.lock == "AccessExclusiveLock"


class ExecutedFacts(BaseModel):
    """Everything that was recorded, and on which server."""

    model_config = ConfigDict(frozen=True)

    server_version: str
    statements: dict[str, StatementFact]
    roles: dict[str, bool]
    """What passes by row-level security, as sentences joined by underscores."""


@cache
def executed_facts() -> ExecutedFacts:
    """Read the recorded facts."""
    text = (files("neondba.postgres") / "executed_facts.json").read_text(encoding="utf-8")
    return ExecutedFacts.model_validate(json.loads(text))
