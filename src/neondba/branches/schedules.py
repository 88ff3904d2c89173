"""When snapshots are taken by themselves, in words and in Neon's items."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from shlex import quote
from typing import TYPE_CHECKING

from pydantic import BaseModel

from neondba.branches import choose, snapshots
from neondba.branches.meanwhile import still_there
from neondba.core.context import Context
from neondba.core.duration import spell
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ArgumentProblem
from neondba.neon.choose import project_for
from neondba.neon.models import ScheduleItem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient


class Every(StrEnum):
    """How often."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_DAY = {Every.DAILY: 0, Every.WEEKLY: 7, Every.MONTHLY: 31}


class Schedule(BaseModel):
    """When a branch's snapshots are taken by themselves."""

    project: str
    branch: str
    turns: tuple[str, ...]
    """One sentence for each turn; none when nothing is taken."""
    next: tuple[str, ...] = ()


def item(every: Every, hour: int | None, day: int | None, keep: timedelta | None) -> ScheduleItem:
    """Make one turn.

    Raises:
        ArgumentProblem: the day does not fit, or the snapshots would be kept for less than an hour.
    """
    most = _MOST_DAY[every]
    if day is not None and not 1 <= day <= most:
        why = f"{day} is no day of a {every} turn" if most else "a daily turn has no day"
        raise ArgumentProblem(
            "schedule-invalid", f"{why}.", hint="Days: 1 (Monday) to 7 for weekly, 1 to 31 for monthly."
        )
    if keep is not None and keep < timedelta(hours=1):
        raise ArgumentProblem(
            "schedule-invalid",
            "Neon keeps a scheduled snapshot for an hour at least.",
            hint="Give --keep 7d.",
        )
    seconds = int(keep.total_seconds()) if keep else None
    at = 0 if hour is None else hour
    return ScheduleItem(frequency=every, hour=at, day=(day or 1) if most else None, retention_seconds=seconds)


def sentence(turn: ScheduleItem) -> str:
    """Say a turn."""
    hour = f"at {turn.hour or 0:02d}:00 UTC"
    when = {
        "hourly": "every hour",
        "daily": f"every day {hour}",
        "weekly": f"every {_DAYS[((turn.day or 1) - 1) % 7]} {hour}",
        "monthly": f"on day {turn.day or 1} of every month {hour}",
        "yearly": f"on day {turn.day or 1} of month {turn.month or 1} of every year {hour}",
    }.get(turn.frequency, turn.frequency)
    kept = timedelta(seconds=turn.retention_seconds) if turn.retention_seconds else None
    return f"{when}, kept for {spell(kept)}" if kept else f"{when}, kept as long as Neon keeps them"


def shown(client: NeonClient, ctx: Context, branch_name: str | None) -> Schedule:
    """Give what is set."""
    project = project_for(client, ctx)
    branch = snapshots.root_branch(project, client.branches(project.id), branch_name)
    turns = tuple(sentence(each) for each in client.schedule(project.id, branch.id))
    example = f"neondba snapshot schedule {quote(branch.name)} --every daily --keep 7d"
    return Schedule(
        project=project.name,
        branch=branch.name,
        turns=turns,
        next=() if turns else (f"{example} --project {quote(project.name)}",),
    )


def changed(
    client: NeonClient, ctx: Context, branch_name: str | None, turns: list[ScheduleItem], *, also: bool
) -> Schedule:
    """Put these turns in the place of what is set, or beside it; none ends it."""
    project = project_for(client, ctx)
    branch = snapshots.root_branch(project, client.branches(project.id), branch_name)
    before = client.schedule(project.id, branch.id)
    turns = [*before, *(each for each in turns if each not in before)] if also and turns else turns
    gone = [f"No longer: {sentence(each)}." for each in before if each not in turns]
    new = [
        f"Take a snapshot of {branch.name} in project {project.name} {sentence(each)}."
        for each in turns
        if each not in before
    ]
    target = choose.target(project, branch)
    plan = Plan(
        operation="snapshot.schedule",
        effect=Effect.WRITE,
        # A first schedule harms nobody; one that goes may be the only backup.
        target=target.model_copy(update={"protected": target.protected and bool(gone)}),
        steps=(*gone, *new) or (f"Nothing changes for {branch.name} of project {project.name}.",),
    )
    with ctx.carry_out(plan), still_there(client, ctx, project, branch):
        client.set_schedule(project.id, branch.id, turns)
    return shown(client, ctx, branch.id)
