"""What a rehearsal has shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from neondba.postgres.seen import Difference, Loss, NotSeeded

BLOCKS: Final = {
    "AccessExclusiveLock": "reads and writes wait",
    "ExclusiveLock": "writes wait",
    "ShareRowExclusiveLock": "writes wait",
    "ShareLock": "writes wait",
    "ShareUpdateExclusiveLock": "other schema changes wait",
}
"""Lock modes worth telling, strongest first, and what they keep waiting."""
BLOCKING: Final = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
"""Those behind which reads or writes wait."""
LONG: Final = 0.5
"""Seconds that a request feels."""
MOST_NAMED = 6
"""Of a kind in one sentence or list."""


class Reversibility(StrEnum):
    """What a revision allows afterwards."""

    REVERSIBLE = "reversible"
    LOSES_DATA = "loses data"
    IRREVERSIBLE = "irreversible"
    DEPENDS = "depends on environment"
    """Whether it passes, or comes back, hangs on rows or roles that are not the same everywhere."""
    FAILS = "fails"


MANY_ROWS: Final = 10_000
"""Rows that one transaction may change without anybody noticing."""


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

    grows: str | None = None
    """What is done to all rows before the lock is let go; nothing when the wait is as short as it was."""

    @property
    def is_notable(self) -> bool:
        """True when the application would feel it, on a large table or already here."""
        if self.mode == "ShareUpdateExclusiveLock":
            return False
        return self.grows is not None or (self.held or 0.0) >= LONG

    @property
    def sentence(self) -> str:
        """What waits and why, without the statement."""
        if self.work is None:
            return f"{self.relation}: {self.blocks} for {self.held or 0.0:.1f} s."
        long = f" Here it took {self.held:.1f} s." if (self.held or 0.0) >= LONG else ""
        return f"{self.work}{long}"

    @property
    def work(self) -> str | None:
        """What waits for what is done to all rows, without a time; nothing where nothing is done to them."""
        if self.grows is None:
            return None
        return f"{self.relation}: {self.blocks} {self.grows}; the larger the table, the longer."

    @property
    def wait(self) -> str | None:
        """What waited and how long; nothing where it was short."""
        if (self.held or 0.0) < LONG:
            return None
        return f"{self.relation}: {self.blocks} for {self.held:.1f} s."


class HeldBy(BaseModel):
    """A lock that one statement took."""

    relation: str
    mode: str
    seconds: float
    """From the statement's start to the end of its transaction."""
    by_fact: str | None = None
    """The executed fact that says so, where the lock was gone before one could look."""


class Measured(BaseModel):
    """What one statement did."""

    text: str
    full: str = Field("", exclude=True, repr=False)
    """The whole text, to be run again: shown nowhere."""
    seconds: float | None
    """Nothing when it failed or was stopped."""
    wal: int | None = None
    """Bytes of log that it wrote."""
    rows: int = 0
    """Rows that it inserted, updated or deleted in tables that were there before."""
    read: dict[str, int] = {}
    """Rows that it read in whole reads, by relation."""
    rewritten: tuple[str, ...] = ()
    """Relations that it wrote anew."""
    work: str | None = None
    """What it does to all rows of a table; nothing where its time does not depend on them."""
    touches: tuple[str, ...] = ()
    """Relations that are locked in any way when it ends."""
    patient: bool = False
    """Whether lock_timeout limits its wait for a lock, and so that of all behind it."""
    locks: tuple[HeldBy, ...] = ()
    """Locks that it took and that its transaction did not hold before."""


class Run(BaseModel):
    """One revision run in one direction."""

    direction: Direction
    outcome: Outcome
    seconds: float
    statements: int
    measured: tuple[Measured, ...] = ()
    """Each statement, the tool's own records left out."""
    locks: tuple[Lock, ...] = ()
    rewritten: tuple[str, ...] = ()
    """Relations whose file was written anew."""
    error: str | None = None

    @property
    def brief(self) -> str:
        """The direction, its time, and how it ended where that is not well."""
        tail = "" if self.outcome is Outcome.DONE else f" {self.outcome.value}"
        return f"{self.direction.value}{tail} {self.seconds * 1000:.0f} ms"


class SaferWay(BaseModel):
    """Another way to the same schema, rehearsed on a branch of its own."""

    instead_of: tuple[str, ...]
    """The statements that it stands for."""
    why: tuple[str, ...]
    statements: tuple[str, ...] = ()
    seconds: float = 0.0
    """For the whole revision; its own way took `seconds_before`."""
    seconds_before: float = 0.0
    blocked: float = 0.0
    """Longest time that reads or writes of one table waited for it."""
    blocked_before: float = 0.0
    grows: str | None = None
    """What still keeps others waiting the longer the larger the table is."""
    trouble: str | None = None
    """Why it is no way: it failed, or led to another schema."""

    @property
    def sentence(self) -> str:
        """Both ways beside each other."""
        if self.trouble:
            return f"A safer way was tried and is none here: {self.trouble}"
        left = f" `{self.grows}` still keeps them waiting the longer the table is." if self.grows else ""
        return (
            f"Safer: {' '.join(self.why)} Rehearsed: the same schema in {self.seconds:.2f} s instead of "
            f"{self.seconds_before:.2f} s; others waited {self.blocked:.3f} s at most instead of "
            f"{self.blocked_before:.3f} s.{left}"
        )


class LoadSeen(BaseModel):
    """What an application suffered while the revision ran."""

    statements: int
    """Statements that it sent meanwhile."""
    longest_before: float
    """Its longest wait in the second before, in seconds."""
    longest: float
    """Its longest wait while the revision ran."""
    slow: int = 0
    """Statements that waited longer than a second."""
    waiting: str | None = None
    """The statement that waited longest."""
    errors: dict[str, int] = {}
    """Refused statements by the server's words."""
    source: str = "generated"
    """`generated`, or `pg_stat_statements` where the application's own statements were sent."""
    failed: str | None = None
    """What the server said when the revision itself did not pass under the load."""
    seconds: float = 0.0
    """How long the revision took under the load."""

    @property
    def sentence(self) -> str:
        """What it suffered."""
        said = f"Under load the longest wait was {self.longest:.2f} s (before: {self.longest_before:.2f} s)"
        own = "of the application's own" if self.source != "generated" else "generated"
        said += f" of {self.statements} {own} statements" if self.statements else ""
        said += f", {self.slow} over a second" if self.slow else ""
        said += f": {self.waiting}." if self.waiting and self.longest >= LONG else "."
        refused = "; ".join(f"{count} times {what}" for what, count in list(self.errors.items())[:MOST_NAMED])
        said += f" Refused: {refused}." if refused else ""
        return f"{said} It failed under the load: {self.failed}." if self.failed else said


class Prediction(BaseModel):
    """How long a revision will take elsewhere."""

    branch: str
    seconds: float
    blocked: float
    """Longest time that reads or writes of one table will wait."""
    basis: str
    """What it was computed from."""

    @property
    def sentence(self) -> str:
        """The prediction with its basis."""
        return (
            f"On {self.branch}: about {self.seconds:.1f} s, others wait {self.blocked:.1f} s at most "
            f"({self.basis})."
        )


class Prints(BaseModel):
    """The files of a migration and the schema around it, as hashes."""

    model_config = ConfigDict(frozen=True)

    content: str = ""
    before: str = ""
    after: str | None = None
    back: str | None = None
    """After the way down, where it goes through."""


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
    safer: SaferWay | None = None
    load: LoadSeen | None = None
    prediction: Prediction | None = None
    catalog_after: str = Field("", exclude=True, repr=False)
    """The schema after its way up, as JSON, where another way to it may be worth trying."""
    prints: Prints = Prints()
    """Fingerprints of the schema on the way."""
    drops_data: bool = False
    """Whether rows or values were gone after the way up."""
    only_seeded: bool = False
    """It stops only on rows that the rehearsal itself put into empty tables."""
    one_way: bool = False
    """Its tool knows no way back: the restore point before it is one."""

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The locks of the upgrade that went through."""
        ups = [run for run in self.runs if run.direction is Direction.UP and run.outcome is Outcome.DONE]
        return ups[-1].locks[:MOST_NAMED] if ups else ()

    @property
    def sound(self) -> bool:
        """True when it goes up, down and up with nothing lost."""
        back = self.reversibility is Reversibility.REVERSIBLE or (
            self.one_way and self.reversibility is Reversibility.IRREVERSIBLE
        )
        return back and self.needs_rows is None


class Rehearsal(BaseModel):
    """All pending revisions, each run up, down and up on a throw-away branch."""

    config: str
    tool: str = "Alembic"
    branch: str | None = None
    server_version: str
    steps: tuple[Step, ...] = ()
    skipped: tuple[str, ...] = ()
    """Revisions that could not be tried because an earlier one stands in the way."""
    already_applied: int = 0
    not_seeded: tuple[NotSeeded, ...] = ()
    """Tables for which no row could be made: their data was not tried."""
    not_compared: tuple[str, ...] = ()
    """Tables with too many rows to compare, and no key."""
    compared_in_part: tuple[str, ...] = ()
    """Tables of whose rows the first by their key were compared."""
    seconds: float = 0.0
    catalog: str = Field("", exclude=True, repr=False)
    """The schema that it began with, as JSON: kept to name what changes later."""

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
                (Reversibility.DEPENDS, "depending on the environment"),
                (Reversibility.FAILS, "failing"),
            )
            if any(s.reversibility is kind for s in self.steps)
        ]
        tail = f", {len(self.skipped)} not reached" if self.skipped else ""
        count = len(self.steps)
        return f"{count} revision{'s' * (count != 1)} rehearsed: {', '.join(counts)}{tail}."

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show the rehearsal for a person."""
        from neondba.migrations import rendering

        return rendering.text_of(self)

    def as_markdown(self) -> str:
        """Show the rehearsal as a comment on a pull request."""
        from neondba.migrations import rendering

        return rendering.markdown_of(self)
