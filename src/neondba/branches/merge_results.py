"""What a merge answers with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from neondba.neon.restore_point import RestorePoint


class MergeConflict(BaseModel):
    """One thing over which somebody has to decide."""

    object: str
    """What `--prefer` is to name."""
    kind: str
    said: str
    base: str | None = None
    ours: str | None = None
    theirs: str | None = None
    rows: tuple[dict[str, Any], ...] = ()


class MergeStatement(BaseModel):
    """One statement of the merge, as the rehearsal saw it."""

    text: str
    destroys: bool = False
    rewrites: bool = False
    seconds: float | None = None
    rows: int | None = None


class BranchMerged(BaseModel):
    """What a merge did, or what stands against it."""

    project: str
    source: str
    into: str
    database: str
    base: str
    """The moment at which the two parted."""
    conflicts: tuple[MergeConflict, ...] = ()
    statements: tuple[MergeStatement, ...] = ()
    rehearsed_seconds: float | None = None
    """How long the statements took on a fresh branch of the target."""
    seconds: float | None = None
    """How long they took on the target."""
    retries: int = 0
    files: tuple[str, ...] = ()
    """The migration in the project's own tool."""
    restore_point: RestorePoint | None = None
    merged: bool = False
    notes: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """Tell conflicts from a merge."""
        return 5 if self.conflicts else 0

    def as_text(self, width: int) -> str:  # noqa: ARG002 - statements are not wrapped
        """Say what was done, or who has to decide what."""
        if self.conflicts:
            head = (
                f"{self.source} was not merged into {self.into}: {_counted(len(self.conflicts), 'conflict')} "
                f"since {self.base}. Nothing was changed."
            )
            lines = [f"  {each.kind.upper()}  {each.said}" for each in self.conflicts]
            lines += [f"      {row}" for each in self.conflicts for row in each.rows[:5]]
            return "\n".join([head, "", *lines, "", *self.next])
        if not self.statements:
            return f"{self.into} has everything that {self.source} has done since {self.base}."
        head = f"{self.source} was merged into {self.into}: {_counted(len(self.statements), 'statement')}"
        head += f" in {self.seconds:.2f} s" if self.seconds is not None else ""
        rehearsed = f" (rehearsed: {self.rehearsed_seconds:.2f} s)" if self.rehearsed_seconds else ""
        lines = [f"  {'! ' if each.destroys else ''}{each.text};" for each in self.statements]
        more = [f"Wrote {path}." for path in self.files]
        more += [self.restore_point.sentence()] if self.restore_point else []
        more += [f"Note: {note}" for note in self.notes]
        return "\n".join(
            [f"{head}{rehearsed}. The schema is now as planned.", "", *lines, "", *more, *self.next]
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
