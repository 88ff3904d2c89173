"""Snapshots of root branches: what is shown of them, and the steps of restoring one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel

from neondba.branches import choose, listing
from neondba.branches.meanwhile import still_there
from neondba.branches.point import check_window, point_of
from neondba.core.context import Context
from neondba.core.duration import spell
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ConflictProblem, NotFoundProblem
from neondba.neon.choose import project_for
from neondba.neon.prices import GB

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project, Snapshot


class SnapshotLine(BaseModel):
    """One snapshot."""

    name: str
    id: str
    branch: str | None
    """Branch that it is of; `None` when that is gone."""
    taken_at: datetime
    holds: datetime
    """The moment of the last change that it holds."""
    by_schedule: bool
    expires_at: datetime | None
    size_bytes: int | None
    month_cost: float
    """Estimate in US dollars; a scheduled one is billed by what changed since the one before."""

    @classmethod
    def of(cls, snapshot: Snapshot, names: dict[str, str], gb_month: float) -> Self:
        """Take it from the API's answer; `names` are branches' by id."""
        billed = snapshot.full_size if snapshot.manual or snapshot.diff_size is None else snapshot.diff_size
        return cls(
            name=snapshot.name,
            id=snapshot.id,
            branch=names.get(snapshot.source_branch_id or ""),
            taken_at=snapshot.created_at,
            holds=snapshot.timestamp or snapshot.created_at,
            by_schedule=not snapshot.manual,
            expires_at=snapshot.expires_at,
            size_bytes=snapshot.full_size,
            month_cost=round((billed or 0) / GB * gb_month, 2),
        )


class SnapshotList(BaseModel):
    """Every snapshot of a project, the newest first."""

    project: str
    snapshots: tuple[SnapshotLine, ...]
    prices: str
    next: tuple[str, ...] = ()


class SnapshotMade(BaseModel):
    """A new snapshot, and how to come back to it."""

    project: str
    branch: str
    name: str
    id: str
    holds: datetime
    expires_at: datetime | None
    next: tuple[str, ...] = ()


class SnapshotRestored(BaseModel):
    """What came of a snapshot."""

    project: str
    snapshot: str
    branch: str
    """Branch that holds its data now."""
    id: str
    kept_as: str | None
    """Branch with what was in its place before; `None` when nothing was replaced."""
    next: tuple[str, ...] = ()


def listed(client: NeonClient, ctx: Context) -> SnapshotList:
    """List the project's snapshots."""
    project = project_for(client, ctx)
    there = client.branches(project.id)
    costs = listing.Costs(client, project, there, ctx.clock.now())
    names = {each.id: each.name for each in there}
    found = sorted(client.snapshots(project.id), key=lambda each: each.created_at, reverse=True)
    price = costs.prices.snapshot_gb_month
    return SnapshotList(
        project=project.name,
        snapshots=tuple(SnapshotLine.of(each, names, price) for each in found),
        prices=listing.price_words(costs.prices, local=client.is_local),
        next=(f"neondba snapshot create --project {quote(project.name)}",) if not found else (),
    )


def root_branch(project: Project, there: list[Branch], name: str | None) -> Branch:
    """Give the branch whose snapshots are meant: the default one unless named.

    Raises:
        ConflictProblem: it is no root branch: Neon has no snapshots of others.
    """
    branch = choose.parent_of_new(there, project, name)
    if branch.parent_id is not None and not _is_its_own_past(branch, there):
        raise ConflictProblem(
            "branch-not-root",
            f"{branch.name} is a branch of another; Neon takes snapshots of root branches only.",
            hint=f"Keep its state as a branch: neondba branch create NAME --parent {quote(branch.name)} "
            f"--no-compute --project {quote(project.name)}",
        )
    return branch


def _is_its_own_past(branch: Branch, there: list[Branch]) -> bool:
    """Tell whether a branch hangs below a root only because it was restored to its own past."""
    parent = next((each for each in there if each.id == branch.parent_id), None)
    return parent is not None and parent.parent_id is None and branch.last_reset_at is not None


@dataclass(frozen=True)
class Wanted:
    """The snapshot that is asked for."""

    branch: str | None
    name: str | None
    at: str | None
    expires: timedelta | None


def taken(client: NeonClient, ctx: Context, wanted: Wanted) -> SnapshotMade:
    """Take a snapshot of a root branch, now or at a point of its history."""
    project, now = project_for(client, ctx), ctx.clock.now()
    branch = root_branch(project, client.branches(project.id), wanted.branch)
    point = point_of(wanted.at, ctx) if wanted.at else None
    if point is not None:
        check_window(point, project, branch, ctx)
    name = wanted.name or f"{branch.name[:200]}_{now:%Y-%m-%d_%H-%M-%S}"
    until = f" It goes after {spell(wanted.expires)}." if wanted.expires else ""
    when = f" {point.spoken}" if point else ""
    plan = Plan(
        operation="snapshot.create",
        effect=Effect.WRITE,
        target=Target(project=project.name, branch=branch.name),
        steps=(
            f"Take snapshot {name} of branch {branch.name}{when} in project {project.name}.{until}",
            "The branch itself is not touched.",
        ),
    )
    with ctx.carry_out(plan), still_there(client, ctx, project, branch, point=point):
        made = client.create_snapshot(
            project.id,
            branch.id,
            name=name,
            lsn=point.lsn if point else None,
            timestamp=point.timestamp if point else None,
            expires_at=now + wanted.expires if wanted.expires else None,
        )
    return _made(project, branch, made)


def _made(project: Project, branch: Branch, made: Snapshot) -> SnapshotMade:
    command = f"neondba snapshot restore {quote(made.name)}"
    where = f"--project {quote(project.name)}"
    return SnapshotMade(
        project=project.name,
        branch=branch.name,
        name=made.name,
        id=made.id,
        holds=made.timestamp or made.created_at,
        expires_at=made.expires_at,
        next=(f"{command} {where}", f"{command} --finalise {where}"),
    )


def restored(
    client: NeonClient, ctx: Context, name: str, to: str | None, onto: str | None, *, finalise: bool
) -> SnapshotRestored:
    """Make a branch of a snapshot; with `finalise` in the place of the branch that it is of."""
    project = project_for(client, ctx)
    there = client.branches(project.id)
    snapshot = client.find_snapshot(project, name)
    target = _target(project, snapshot, there, onto)
    fresh = to or choose.free_name(f"{target.name}_restored_{ctx.clock.now():%Y-%m-%d}", there)
    choose.refuse_if_taken(fresh, project, there)
    touched = choose.target(project, target) if finalise else Target(project=project.name, branch=fresh)
    plan = Plan(
        operation="snapshot.restore",
        effect=Effect.WRITE,
        target=touched,
        steps=_steps(project, snapshot, target, fresh, there, finalise=finalise),
    )
    with ctx.carry_out(plan), still_there(client, ctx, project, target):
        made = client.restore_snapshot(
            project.id, snapshot.id, target_id=target.id, name=fresh, finalise=finalise
        )
        now = client.branch(project.id, made.branch.id)
    return _result(client, project, snapshot.name, now, target if finalise else None)


def finalised(client: NeonClient, ctx: Context, name: str, keep_as: str | None) -> SnapshotRestored:
    """Put a branch that was restored from a snapshot in its target's place."""
    project = project_for(client, ctx)
    there = client.branches(project.id)
    branch = choose.branch_of(there, project, name)
    target = next((each for each in there if each.id == branch.restored_as), None)
    if branch.restore_status != "restored" or target is None:
        raise ConflictProblem(
            "nothing-to-finalise",
            f"{branch.name} is no branch that was restored from a snapshot and waits to take a place.",
            hint=f"neondba snapshot restore SNAPSHOT --project {quote(project.name)} makes one.",
        )
    if keep_as is not None:
        choose.refuse_if_taken(keep_as, project, there)
    snapshot = branch.restored_from or "its snapshot"
    plan = Plan(
        operation="snapshot.finalise",
        effect=Effect.WRITE,
        target=choose.target(project, target),
        steps=_swap_steps(project, branch.name, target, there, keep_as),
    )
    with ctx.carry_out(plan), still_there(client, ctx, project, branch, target):
        client.finalise_restore(project.id, branch.id, old_name=keep_as)
        now = client.branch(project.id, branch.id)
    return _result(client, project, snapshot, now, target)


def _target(project: Project, snapshot: Snapshot, there: list[Branch], onto: str | None) -> Branch:
    if onto is not None:
        return choose.branch_of(there, project, onto)
    for each in there:
        if each.id == snapshot.source_branch_id:
            return each
    raise NotFoundProblem(
        "branch-gone",
        f"The branch that snapshot {snapshot.name} is of is gone from project {project.name}.",
        hint="Name the one whose roles and place it is for: --branch BRANCH",
    )


def _steps(
    project: Project, snapshot: Snapshot, target: Branch, fresh: str, there: list[Branch], *, finalise: bool
) -> tuple[str, ...]:
    made = f"Make branch {fresh} of snapshot {snapshot.name} in project {project.name}."
    if not finalise:
        return (made, f"Nothing is replaced: {target.name} stays as it is.")
    return (made, *_swap_steps(project, fresh, target, there, None))


def _swap_steps(
    project: Project, fresh: str, target: Branch, there: list[Branch], keep_as: str | None
) -> tuple[str, ...]:
    children = choose.children_of(target, there)
    also = f"; its branches {', '.join(children)} stay with it" if children else ""
    return (
        f"Put {fresh} in the place of {target.name} in project {project.name}: name, addresses and standing.",
        f"Keep what {target.name} holds now as branch {keep_as or f'{target.name} (old)'}{also}.",
        f"Drop the open connections to {target.name}. Roles keep their present passwords.",
    )


def _result(
    client: NeonClient, project: Project, snapshot: str, now: Branch, target: Branch | None
) -> SnapshotRestored:
    where = f"--project {quote(project.name)}"
    if target is None:
        following = (
            f"neondba branch checkout {quote(now.name)} {where}",
            f"neondba snapshot finalise {quote(now.name)} {where}",
        )
        return SnapshotRestored(
            project=project.name, snapshot=snapshot, branch=now.name, id=now.id, kept_as=None, next=following
        )
    kept = client.branch(project.id, target.id).name
    back = f"neondba branch restore {quote(now.name)} --source {quote(kept)} {where}"
    return SnapshotRestored(
        project=project.name, snapshot=snapshot, branch=now.name, id=now.id, kept_as=kept, next=(back,)
    )
