"""Where two branches parted: the newest moment that both have in their history."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches.point import Point
from neondba.branches.side import Side
from neondba.core.problem import ConflictProblem

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Project


@dataclass(frozen=True)
class _Ancestor:
    branch: Branch
    lsn: str | None
    """Up to where its history is shared; all of it where `None`."""


def base_of(
    project: Project, theirs: Branch, ours: Branch, there: list[Branch], database: str | None
) -> Side:
    """Give the moment at which two branches were one.

    Raises:
        ConflictProblem: they have no history in common.
    """
    ours_line = {each.branch.id: each for each in _line(ours, there)}
    for each in _line(theirs, there):
        other = ours_line.get(each.branch.id)
        if other is not None:
            lsn = min((one for one in (each.lsn, other.lsn) if one), key=_place, default=None)
            point = Point(lsn, None, f"at LSN {lsn}") if lsn else None
            return Side(project, each.branch, point, database)
    raise ConflictProblem(
        "no-common-history",
        f"Branches {theirs.name} and {ours.name} have no moment in common: neither comes from the other, nor "
        "both from a third.",
        hint=f"Compare them instead: neondba branch diff {quote(theirs.name)} --base {quote(ours.name)}",
    )


def _line(branch: Branch, there: list[Branch]) -> list[_Ancestor]:
    """Give a branch and its ancestors, each with the moment at which the line leaves it."""
    by_id = {each.id: each for each in there}
    found = [_Ancestor(branch, None)]
    while branch.parent_id in by_id and branch.init_source != "schema-only":
        lsn = branch.parent_lsn
        branch = by_id[str(branch.parent_id)]
        found.append(_Ancestor(branch, lsn))
    return found


def _place(lsn: str) -> int:
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
