"""What is seen of a database, as plain values that need no driver."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel


class Level(StrEnum):
    """How much a difference matters."""

    DIFFERENCE = "difference"
    INFO = "info"


class Change(StrEnum):
    """What became of an object between two snapshots."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Difference(BaseModel):
    """One way in which two schemas differ."""

    kind: str
    name: str
    change: Change
    attribute: str | None = None
    before: str | None = None
    after: str | None = None
    level: Level = Level.DIFFERENCE

    @property
    def text(self) -> str:
        """The difference as a sentence part, such as `index public.task_due is missing`."""
        if self.change is Change.ADDED:
            return f"{self.kind} {self.name} is left over"
        if self.change is Change.REMOVED:
            return f"{self.kind} {self.name} is missing"
        attribute = (self.attribute or "").replace("_", " ")
        return f"{self.kind} {self.name}: {attribute} was {_short(self.before)}, is {_short(self.after)}"


class Loss(BaseModel):
    """Values that are no longer there."""

    table: str
    column: str | None
    """The column; nothing when whole rows or the table are gone."""
    lost: int
    of: int
    changed: bool = False
    """True when there are as many values as before, but not the same ones."""

    @property
    def text(self) -> str:
        """The loss as a sentence part."""
        if self.column is None:
            return f"{self.lost} of {self.of} rows of {self.table} are gone"
        fate = "are no longer what they were" if self.changed else "are gone"
        return f"{self.lost} of {self.of} values of {self.table}.{self.column} {fate}"


class NotSeeded(BaseModel):
    """A table that got no row, and why."""

    table: str
    reason: str


class Action(StrEnum):
    """What user A tries to do to a row of user B."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Attempt(BaseModel):
    """One try, in a transaction that was rolled back."""

    action: Action
    open: bool
    """True when it reached a row of B."""
    text: str
    """What happened, such as `read 1 row` or the server's refusal."""


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    text = " ".join(value.split())
    return text if len(text) <= 80 else text[:77] + "…"
