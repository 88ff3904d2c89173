"""What applying, reverting and asking for the state of migrations give."""

from __future__ import annotations

from pydantic import BaseModel

from neondba.neon.restore_point import RestorePoint


class ChangedStep(BaseModel):
    """One migration that was applied or taken back."""

    revision: str
    title: str = ""
    seconds: float
    rehearsed_seconds: float = 0.0
    retries: int = 0
    """Tries that did not get their lock."""
    waited: float = 0.0
    """Seconds of those."""
    held_by: str | None = None
    """The session that was in the way."""

    @property
    def line(self) -> str:
        """The step on one line."""
        tries = f", {self.retries} tries without a lock ({self.waited:.1f} s)" if self.retries else ""
        times = f"{self.seconds:.2f} s (rehearsed: {self.rehearsed_seconds:.2f} s)"
        return f"{self.revision}  {times}{tries}  {self.title}"


class Change(BaseModel):
    """What was done to a branch, verified against the rehearsal."""

    direction: str
    """`up` or `down`."""
    tool: str
    project: str
    branch: str
    database: str
    steps: tuple[ChangedStep, ...] = ()
    restore_point: RestorePoint | None = None
    """Nothing where there was nothing to do."""
    seconds: float = 0.0
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        if not self.steps:
            return f"Branch {self.branch} of project {self.project} has every migration: nothing was done."
        word = "applied" if self.direction == "up" else "taken back"
        count = len(self.steps)
        lines = [
            f"{count} migration{'s' * (count != 1)} {word} on branch {self.branch} of project {self.project} "
            f"in {self.seconds:.1f} s; the schema is the rehearsed one.",
            *[f"  {step.line.rstrip()}" for step in self.steps],
        ]
        return "\n".join([*lines, *([self.restore_point.sentence()] if self.restore_point else [])])


class WaitingMigration(BaseModel):
    """A migration that a branch has not seen."""

    revision: str
    title: str = ""
    rehearsed: str
    """`yes`, `no`, or why a rehearsal no longer counts."""


class BranchState(BaseModel):
    """Which migrations one branch has."""

    branch: str
    default: bool = False
    protected: bool = False
    applied: int = 0
    newest: str | None = None
    """The last one that is applied."""
    pending: tuple[WaitingMigration, ...] = ()
    trouble: str | None = None
    """Why it could not be read."""


class Status(BaseModel):
    """Which migrations are applied and pending, branch by branch."""

    tool: str
    place: str
    project: str
    known: int
    """Migrations in the project."""
    branches: tuple[BranchState, ...]
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        lines = [f"{self.known} migrations of {self.tool} in {self.place}, project {self.project}."]
        for each in self.branches:
            marks = [w for w, is_so in (("default", each.default), ("protected", each.protected)) if is_so]
            tail = f" ({', '.join(marks)})" if marks else ""
            if each.trouble:
                lines.append(f"{each.branch}{tail}: not known. {each.trouble}")
                continue
            newest = f", newest {each.newest}" if each.newest else ""
            lines.append(f"{each.branch}{tail}: {each.applied} applied{newest}, {len(each.pending)} pending.")
            lines += [f"    {p.revision}  rehearsed: {p.rehearsed}  {p.title}".rstrip() for p in each.pending]
        return "\n".join(lines)
