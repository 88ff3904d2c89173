"""What a rehearsal has shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from neondba.postgres.seen import Difference, Loss, NotSeeded

BLOCKS: Final = {
    "AccessExclusiveLock": "reads and writes wait",
    "ExclusiveLock": "writes wait",
    "ShareRowExclusiveLock": "writes wait",
    "ShareLock": "writes wait",
    "ShareUpdateExclusiveLock": "other schema changes wait",
}
"""Lock modes worth telling, strongest first, and what they keep waiting."""
MOST_NAMED = 6
"""Of a kind in one sentence or list."""


class Reversibility(StrEnum):
    """What a revision allows afterwards."""

    REVERSIBLE = "reversible"
    LOSES_DATA = "loses data"
    IRREVERSIBLE = "irreversible"
    FAILS = "fails"


class Direction(StrEnum):
    """The three runs of each revision."""

    UP = "up"
    DOWN = "down"
    UP_AGAIN = "up again"


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """It ran into the limit."""


class Lock(BaseModel):
    """A lock on a relation that was there before the step."""

    relation: str
    mode: str
    blocks: str
    statement: str | None
    """The statement that took it; nothing when it was seen from another session."""
    held: float | None
    """Seconds from the statement's start to the end of the step, where known."""

    @property
    def text(self) -> str:
        """The lock as a sentence, with the statement that took it."""
        by = f", taken by: {self.statement}" if self.statement else ""
        return f"{self.brief} ({self.mode}){by}"

    @property
    def brief(self) -> str:
        """Who waited for what, and how long."""
        held = "" if self.held is None else f" for {self.held * 1000:.0f} ms"
        return f"{self.relation}: {self.blocks}{held}"


class Run(BaseModel):
    """One revision run in one direction."""

    direction: Direction
    outcome: Outcome
    seconds: float
    statements: int
    locks: tuple[Lock, ...] = ()
    rewritten: tuple[str, ...] = ()
    """Relations whose file was written anew."""
    error: str | None = None


class Step(BaseModel):
    """One revision: up, down and up again."""

    revision: str
    title: str
    path: str
    """The migration's file, relative to the project's folder."""
    reversibility: Reversibility
    sentences: tuple[str, ...]
    """What was seen, most important first."""
    runs: tuple[Run, ...] = ()
    differences: tuple[Difference, ...] = ()
    """Schema after the downgrade against the schema before the upgrade."""
    losses: tuple[Loss, ...] = ()
    """Rows and values from before that were gone after up and down."""
    needs_rows: str | None = None
    """What it stops on, when it passes on some rows only."""

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The locks of the upgrade that went through."""
        ups = [run for run in self.runs if run.direction is Direction.UP and run.outcome is Outcome.DONE]
        return ups[-1].locks[:MOST_NAMED] if ups else ()

    @property
    def sound(self) -> bool:
        """True when it goes up, down and up with nothing lost."""
        return self.reversibility is Reversibility.REVERSIBLE and self.needs_rows is None


class Rehearsal(BaseModel):
    """All pending revisions, each run up, down and up on a throw-away branch."""

    config: str
    branch: str | None = None
    server_version: str
    steps: tuple[Step, ...] = ()
    skipped: tuple[str, ...] = ()
    """Revisions that could not be tried because an earlier one stands in the way."""
    already_applied: int = 0
    not_seeded: tuple[NotSeeded, ...] = ()
    """Tables for which no row could be made: their data was not tried."""
    not_compared: tuple[str, ...] = ()
    """Tables with too many rows to compare."""
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """True when every revision goes up, down and up with nothing lost."""
        return not self.skipped and all(step.sound for step in self.steps)

    @property
    def summary(self) -> str:
        """One sentence over all revisions."""
        if not self.steps:
            return "There is nothing to rehearse: the database has every revision."
        counts = [
            f"{len([s for s in self.steps if s.reversibility is kind])} {words}"
            for kind, words in (
                (Reversibility.REVERSIBLE, "reversible"),
                (Reversibility.LOSES_DATA, "losing data"),
                (Reversibility.IRREVERSIBLE, "irreversible"),
                (Reversibility.FAILS, "failing"),
            )
            if any(s.reversibility is kind for s in self.steps)
        ]
        tail = f", {len(self.skipped)} not reached" if self.skipped else ""
        count = len(self.steps)
        return f"{count} revision{'s' * (count != 1)} rehearsed: {', '.join(counts)}{tail}."

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show the rehearsal for a person."""
        where = f" on branch {self.branch}" if self.branch else ""
        lines = [f"{self.summary} PostgreSQL {self.server_version}{where}, {self.seconds:.1f} s.", ""]
        for step in self.steps:
            lines.append(f"{step.revision}  {step.reversibility.value.upper()}  {step.title}  ({step.path})")
            lines += [f"    {sentence}" for sentence in step.sentences]
            lines += [f"    {lock.text}" for lock in step.locks]
            for run in step.runs:
                tail = "" if run.outcome is Outcome.DONE else f" {run.outcome.value}"
                lines.append(f"    {run.direction.value}: {run.seconds * 1000:.0f} ms{tail}")
        lines += [f"{revision}  NOT REACHED" for revision in self.skipped]
        for table in self.not_seeded:
            lines.append(f"No rows in {table.table}: {table.reason}")
        lines += [f"Rows of {table} were not compared: too many." for table in self.not_compared]
        return "\n".join(lines)
