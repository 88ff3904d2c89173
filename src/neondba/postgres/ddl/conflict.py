"""Where two sides of a merge want different things, in the words git has for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class Side(StrEnum):
    """Who made a change since the branch point: the branch that is merged into, or the one that is merged."""

    OURS = "ours"
    THEIRS = "theirs"


class ConflictKind(StrEnum):
    """What stands against what."""

    BOTH_CHANGED = "both changed"
    BOTH_ADDED = "both added"
    DROPPED_BY_US = "dropped by us"
    DROPPED_BY_THEM = "dropped by them"
    NEEDED_BY_US = "needed by us"
    """Their side has dropped what something new of ours stands on."""
    NEEDED_BY_THEM = "needed by them"
    ROW_CHANGED = "row changed on both sides"
    DATA = "rows in the way"
    """Rows of the target do not satisfy what the merge demands of them."""


class Conflict(BaseModel):
    """One object or row over which somebody has to decide."""

    model_config = ConfigDict(frozen=True)

    object: str
    """Key of the object, as `column public.users.email`; for a row its table."""
    kind: ConflictKind
    attribute: str | None = None
    base: str | None = None
    """As it was at the branch point; `None` where it was not there."""
    ours: str | None = None
    theirs: str | None = None
    needs: str | None = None
    """Key of what is gone and still needed."""
    rows: tuple[dict[str, Any], ...] = ()
    """Some of the rows that are in the way."""
    count: int = 0
    """How many there are."""

    @property
    def name(self) -> str:
        """Give what settles it is named by: the object, or the table and the row's key."""
        return f"{self.object} {self.attribute}" if self.object.startswith("rows ") else self.object

    def sentence(self, ours: str, theirs: str) -> str:
        """Say it with the names of the two branches."""
        is_row = self.kind is ConflictKind.ROW_CHANGED
        part = self.attribute.replace("_", " ") if self.attribute and not is_row else ""
        what = self.name + (f" ({part})" if part else "")
        match self.kind:
            case ConflictKind.BOTH_CHANGED:
                return f"{what}: {ours} has {_said(self.ours)}, {theirs} has {_said(self.theirs)}."
            case ConflictKind.BOTH_ADDED:
                return f"{what}: {ours} and {theirs} have both made it, and not alike."
            case ConflictKind.DROPPED_BY_US:
                return f"{what}: {ours} has dropped it, {theirs} has changed it."
            case ConflictKind.DROPPED_BY_THEM:
                return f"{what}: {theirs} has dropped it, {ours} has changed it."
            case ConflictKind.NEEDED_BY_US:
                return f"{what} of {ours} needs {self.needs}, which {theirs} has dropped."
            case ConflictKind.NEEDED_BY_THEM:
                return f"{what} of {theirs} needs {self.needs}, which {ours} has dropped."
            case ConflictKind.ROW_CHANGED:
                return f"{what}: {ours} and {theirs} have changed the row, and not alike."
            case ConflictKind.DATA:
                some = "1 row" if self.count == 1 else f"{self.count} rows"
                return f"{what}: {some} of {ours} in the way{': ' + self.ours if self.ours else ''}."


def _said(value: str | None) -> str:
    if value is None:
        return "none"
    line = " ".join(value.split())
    return line if len(line) <= 80 else line[:79] + "…"
