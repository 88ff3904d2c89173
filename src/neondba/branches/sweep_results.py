"""What a sweep answers with."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel


class Outcome(StrEnum):
    """What became of a branch that was to go."""

    DELETED = "deleted"
    GONE = "gone already"
    KEPT = "kept"
    FAILED = "failed"


class SweptBranch(BaseModel):
    """A branch that was to go."""

    branch: str
    id: str
    reasons: tuple[str, ...]
    last_used: datetime
    month: float
    """US dollars that it cost by the month."""
    outcome: Outcome
    why: str | None = None
    """Why it is still there, where it is."""


class KeptBranch(BaseModel):
    """A branch that looks left over and stays, or of which too little is known."""

    branch: str
    reasons: tuple[str, ...]
    because: str
    month: float


class Sweep(BaseModel):
    """What was swept, and what was not."""

    project: str
    swept: tuple[SweptBranch, ...]
    kept: tuple[KeptBranch, ...]
    looked_at: int
    """How many branches the project has."""
    prices: str
    """Which prices, and from when."""
    next: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """Fail where a branch could not be deleted."""
        return 7 if any(each.outcome is Outcome.FAILED for each in self.swept) else 0

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        gone = [each for each in self.swept if each.outcome in (Outcome.DELETED, Outcome.GONE)]
        said = [
            f"{len(gone)} of {self.looked_at} branches of project {self.project} swept: "
            f"about ${sum(each.month for each in gone):.2f} a month less ({self.prices})."
            if self.swept
            else f"Nothing to sweep among {self.looked_at} branches of project {self.project}."
        ]
        for one in self.swept:
            why = f" {one.why}" if one.why else ""
            said.append(f"  {one.outcome.value:<12}  {one.branch}: {'; '.join(one.reasons)}.{why}")
        said += [f"  {'kept':<12}  {other.branch}: {_kept(other)}" for other in self.kept]
        return "\n".join([*said, *(f"\nNext\n  {step}" for step in self.next)])


def _kept(one: KeptBranch) -> str:
    tail = f" (looks left over: {'; '.join(one.reasons)})" if one.reasons else ""
    return f"{one.because}{tail}; about ${one.month:.2f} a month."
