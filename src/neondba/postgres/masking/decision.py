"""What becomes of a column."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class State(StrEnum):
    """What becomes of a column."""

    MASKED = "masked"
    KEPT = "kept"
    """The project file says so, with a reason."""
    CLEAN = "clean"
    """Nothing personal was found."""
    OPEN = "open"
    """It looks personal, and nobody has said what to do."""


class Decision(BaseModel):
    """What becomes of one column."""

    model_config = ConfigDict(frozen=True)

    column: str
    """schema.table.column"""
    type: str
    state: State
    kind: str | None = None
    value: str | None = None
    """What the project file puts into every row."""
    inside: str | None = None
    """For a document whose own name is personal: the kind of all texts in it."""
    why: str
    lines: tuple[str, ...] = ()
    """For an open column: lines for the project file, each of which settles it."""

    @property
    def is_plain(self) -> bool:
        """True where the type alone keeps a person's texts out, and the name says nothing."""
        return self.state is State.CLEAN and self.why == f"it is {self.type}"
