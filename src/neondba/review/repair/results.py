"""What a repair came to."""

from __future__ import annotations

from pydantic import BaseModel, Field

from neondba.review.harmless import name, prose


class FileWritten(BaseModel):
    """One file, and how it differs from before."""

    path: str
    made: bool
    """True for a new file."""
    rules: list[str]
    diff: str
    """Unified, masked."""


class Repaired(BaseModel):
    """A finding that is gone."""

    rule: str
    name: str
    path: str
    line: int


class LeftAlone(Repaired):
    """A finding whose repair was not made."""

    why: str


class Fixed(BaseModel):
    """What was written, and what still waits for a person."""

    files: list[FileWritten]
    repaired: list[Repaired]
    left: list[LeftAlone]
    """Repairs that were not made, with the reason."""
    remaining: int
    """Findings that are still there."""
    next: list[str] = Field(default_factory=list)

    def as_text(self, width: int) -> str:  # noqa: ARG002 - paths are not wrapped
        """Give files, what was repaired in each, what was left and why."""
        rows = [
            f"{len(self.repaired)} repaired, {self.remaining} left for a person."
            if self.files
            else f"Nothing was written: {self.remaining} findings wait for a person."
            if self.remaining
            else "Nothing to repair."
        ]
        for file in self.files:
            rows.append(f"\n{'created' if file.made else 'edited'}  {name(file.path)}")
            rows += [f"         {rule}" for rule in file.rules]
        if self.left:
            rows.append("\nNot repaired")
            rows += [f"  {x.rule} {name(x.path)}:{x.line}: {name(x.why)}" for x in self.left]
        rows += ["\nNext", *(f"  {command}" for command in self.next)]
        return prose("\n".join(rows))
