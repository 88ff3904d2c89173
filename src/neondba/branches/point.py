"""A point of a branch's history, as people write it: a time, an LSN, or how long ago."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticCustomError

from neondba.core.context import Context
from neondba.core.duration import parse as length_of
from neondba.core.duration import spell
from neondba.core.problem import ArgumentProblem, Problem

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Project

_LSN: Final = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_AGO: Final = re.compile(r"(?P<length>.+?)\s+ago", re.IGNORECASE)
LEEWAY: Final = timedelta(seconds=2)
"""Clocks differ: what lies this little ahead is now."""


@dataclass(frozen=True)
class Point:
    """Where in a history."""

    lsn: str | None
    timestamp: datetime | None
    spoken: str
    """As it stands in a plan: consent is to this very moment."""


def point_of(text: str, ctx: Context) -> Point:
    """Read a point.

    Raises:
        ArgumentProblem: it is none, has no time zone, or lies ahead.
    """
    text = text.strip()
    if _LSN.fullmatch(text):
        return Point(text.upper(), None, f"at LSN {text.upper()}")
    if ago := _AGO.fullmatch(text):
        then = (ctx.clock.now() - _length(ago["length"])).replace(microsecond=0)
        # Consent is to a moment: the same words mean another one in the next call.
        fixed = f"{then:%Y-%m-%dT%H:%M:%SZ}"
        return Point(
            None, then, f"as it was at {fixed} ({text.lower()}; to confirm it later, give this time)"
        )
    try:
        moment = datetime.fromisoformat(re.sub(r"\s+UTC$", "+00:00", text))
    except ValueError:
        raise _unreadable(text) from None
    if moment.tzinfo is None:
        raise ArgumentProblem(
            "point-invalid",
            f"{text} has no time zone, so it could be several moments.",
            hint=f"Write {text.replace(' ', 'T')}Z for UTC, or the offset, as in +02:00.",
        )
    if moment > ctx.clock.now() + LEEWAY:
        raise ArgumentProblem(
            "point-invalid", f"{text} lies ahead.", hint="Only what has happened can be gone back to."
        )
    return Point(None, moment, f"as it was at {moment.isoformat(sep=' ')}")


def _length(text: str) -> timedelta:
    try:
        found = length_of(text)
    except PydanticCustomError:
        raise _unreadable(f"{text} ago") from None
    assert isinstance(found, timedelta)
    return found


def _unreadable(text: str) -> ArgumentProblem:
    return ArgumentProblem(
        "point-invalid",
        f"{text} is neither a time nor an LSN.",
        hint='Write a time as 2026-11-22T08:00:00Z, an LSN as 0/1A2B3C8, or how long ago as "10m ago".',
    )


def check_window(point: Point, project: Project, branch: Branch, ctx: Context) -> None:
    """Refuse a time that the branch's history does not reach.

    Raises:
        ArgumentProblem: it is outside the window; the message says the window.
    """
    if point.timestamp is None:
        return
    if point.timestamp < _begin(project, ctx) - LEEWAY or _is_older(point, branch):
        raise outside(point, project, branch, ctx)


def _is_older(point: Point, branch: Branch) -> bool:
    """Tell whether a branch without a parent was not there yet."""
    then = point.timestamp
    return then is not None and branch.parent_id is None and then < branch.created_at - LEEWAY


def outside(point: Point, project: Project, branch: Branch, ctx: Context) -> ArgumentProblem:
    """Give the problem of a point that is out of reach."""
    window = timedelta(seconds=project.history_retention_seconds)
    reach = (
        f"project {project.name} keeps {spell(window)} of history, so since "
        f"{_begin(project, ctx):%Y-%m-%d %H:%M:%S} UTC"
        if window
        else f"project {project.name} keeps no history"
    )
    born = f"{branch.name} was made at {branch.created_at:%Y-%m-%d %H:%M:%S} UTC"
    within = point.timestamp is not None and point.timestamp >= _begin(project, ctx)
    why = born if within and _is_older(point, branch) else f"{reach} ({born})"
    return ArgumentProblem(
        "point-outside-history",
        f"{branch.name} cannot be had {point.spoken}: {why}.",
        hint="Choose a later point, or a snapshot: "
        f"neondba snapshot list --project {quote(project.name)}. A longer window holds for the future only.",
        history_seconds=project.history_retention_seconds,
    )


def _begin(project: Project, ctx: Context) -> datetime:
    return ctx.clock.now() - timedelta(seconds=project.history_retention_seconds)


def speaks_of_history(problem: Problem) -> bool:
    """Tell whether Neon refused a point because its history does not reach it."""
    said = str(problem.facts.get("neon_message", "")).lower()
    return problem.facts.get("status") in (400, 404, 406, 422) and (
        "history" in said or "lsn" in said or "timestamp" in said
    )
