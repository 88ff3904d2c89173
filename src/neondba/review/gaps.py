"""What was not checked, in few lines: many places often lack one and the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neondba.review.harmless import name

if TYPE_CHECKING:
    from neondba.review.model import Review

NAMED = 4
"""Places that a line names; of the others it gives the number."""


@dataclass(frozen=True)
class Gap:
    """One reason, and everything that was not checked because of it."""

    reason: str
    places: tuple[str, ...]

    @property
    def text(self) -> str:
        """Give the reason with the first places."""
        shown = ", ".join(self.places[:NAMED])
        more = len(self.places) - NAMED
        return f"{self.reason}: {shown}" + (f" and {more} more" if more > 0 else "")


def gaps(review: Review) -> list[Gap]:
    """Group by reason what could not be looked at; the largest groups first."""
    found: dict[str, list[str]] = {}
    for gap in review.not_checked:
        found.setdefault(name(gap.missing), []).append(name(gap.what))
    for file in review.unparsed:
        place = f"{file.path}:{file.line}" if file.line > 1 else file.path
        found.setdefault(name(file.reason), []).append(name(place))
    made = [Gap(reason, tuple(places)) for reason, places in found.items()]
    return sorted(made, key=lambda gap: -len(gap.places))


def difference(review: Review) -> list[str]:
    """Say against what the review was held, and what that left out."""
    said, compared = [], review.compared
    if compared is None:
        return []
    if compared.base:
        number = len(review.findings)
        found = f"{number} finding{'' if number == 1 else 's'}" if number else "No finding"
        left = [f"{compared.older} older left out"] if compared.older else []
        left += [f"{compared.repaired} repaired"] if compared.repaired else []
        since = f"{name(compared.base)} ({compared.commit[:7]})"
        said.append(f"{found} introduced since {since}" + "".join(f"; {part}" for part in left) + ".")
    if compared.accepted:
        said.append(
            f"{compared.accepted} accepted in {name(compared.baseline)}: left out below, not in the verdicts."
        )
    if compared.stale:
        verb = "entry answers" if len(compared.stale) == 1 else "entries answer"
        first = name(compared.stale[0])
        said.append(
            f"{len(compared.stale)} {verb} nothing any more in {name(compared.baseline)}, such as {first} "
            "Write it anew: neondba review --write-baseline"
        )
    return said


def bound(review: Review) -> str:
    """Say in one line what binds the statements that somebody outside reaches."""
    return f"Isolation: {name(review.isolation)}." if review.isolation else ""
