"""Operations on snapshots."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.branches import schedules, snapshots
from neondba.branches.arguments import At, KeepAs
from neondba.branches.results import Deleted
from neondba.branches.schedules import Every, Schedule
from neondba.branches.snapshots import SnapshotList, SnapshotMade, SnapshotRestored
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem
from neondba.local import platform
from neondba.neon.choose import project_for

AnySnapshot = Annotated[str, Field(description="The snapshot: its name or its id.", min_length=1)]
RootBranch = Annotated[
    str | None, Field(description="Root branch, by name or id; the default branch if absent.")
]


@operation(
    "snapshot.create",
    effect=Effect.WRITE,
    examples=(
        Example({"name": "before-launch", "expires": "7d"}),
        Example({"branch": "no-such-branch"}, problem="branch-not-found"),
        Example(
            {"branch": "twig"},
            before=(("branch.create", {"name": "twig", "no_compute": True}),),
            problem="branch-not-root",
        ),
    ),
)
def snapshot_create(
    ctx: Context,
    branch: RootBranch = None,
    *,
    name: Annotated[
        str | None, Field(description="Name of the snapshot; branch and time if absent.", max_length=256)
    ] = None,
    at: At = None,
    expires: Annotated[
        Duration | None, Field(description="Delete it after this long, such as 7d; never if absent.")
    ] = None,
) -> SnapshotMade:
    """Take a snapshot of a root branch, now or at a point of its history."""
    with platform.client(ctx) as client:
        return snapshots.taken(client, ctx, snapshots.Wanted(branch, name, at, expires))


@operation("snapshot.list", effect=Effect.READ, examples=(Example(),))
def snapshot_list(ctx: Context) -> SnapshotList:
    """List the snapshots of the project, the newest first."""
    with platform.client(ctx) as client:
        return snapshots.listed(client, ctx)


@operation(
    "snapshot.restore",
    effect=Effect.WRITE,
    examples=(
        Example(
            {"name": "look-back", "to": "looked-at"},
            before=(("snapshot.create", {"name": "look-back"}),),
        ),
        Example({"name": "look-back", "finalise": True}, problem="confirmation-needed"),
        Example({"name": "no-such-snapshot"}, problem="snapshot-not-found"),
    ),
)
def snapshot_restore(
    ctx: Context,
    name: AnySnapshot,
    *,
    to: Annotated[
        str | None, Field(description="Name of the new branch.", min_length=1, max_length=256)
    ] = None,
    branch: Annotated[
        str | None, Field(description="Branch whose place it is for; the one it is of if absent.")
    ] = None,
    finalise: Annotated[bool, Field(description="Put it in that branch's place at once.")] = False,
) -> SnapshotRestored:
    """Make a branch of a snapshot, to look at first or in its branch's place.

    With `--finalise` the new branch takes over name, addresses and standing; the old state stays as a
    branch called `… (old)`.
    """
    with platform.client(ctx) as client:
        return snapshots.restored(client, ctx, name, to, branch, finalise=finalise)


@operation(
    "snapshot.finalise",
    effect=Effect.WRITE,
    examples=(Example({"name": "main"}, problem="nothing-to-finalise"),),
)
def snapshot_finalise(
    ctx: Context,
    name: Annotated[str, Field(description="The branch made of a snapshot: name or id.", min_length=1)],
    *,
    keep_as: KeepAs = None,
) -> SnapshotRestored:
    """Put a branch that was made of a snapshot in its target's place."""
    with platform.client(ctx) as client:
        return snapshots.finalised(client, ctx, name, keep_as)


@operation(
    "snapshot.schedule",
    effect=Effect.WRITE,
    examples=(
        Example({"every": "daily", "hour": 3, "keep": "7d"}),
        Example(),
        Example({"every": "weekly", "day": 8}, problem="schedule-invalid"),
        Example({"off": True}, problem="confirmation-needed"),
        Example({"off": True}, confirmed=True),
    ),
)
def snapshot_schedule(
    ctx: Context,
    branch: RootBranch = None,
    *,
    every: Annotated[Every | None, Field(description="How often; leave it out to see what is set.")] = None,
    hour: Annotated[int | None, Field(description="Hour of the day in UTC.", ge=0, le=23)] = None,
    day: Annotated[
        int | None, Field(description="Day of the week (1 is Monday) or of the month.", ge=1, le=31)
    ] = None,
    keep: Annotated[Duration | None, Field(description="Keep each this long, such as 7d.")] = None,
    also: Annotated[bool, Field(description="Add to what is set, instead of replacing it.")] = False,
    off: Annotated[bool, Field(description="Take no more by themselves.")] = False,
) -> Schedule:
    """Set when snapshots of a root branch are taken by themselves, or show it."""
    if off and every is not None:
        raise ArgumentProblem("schedule-invalid", "--every and --off say opposite things.")
    turn = schedules.item(every, hour, day, keep) if every is not None else None
    with platform.client(ctx) as client:
        if turn is None and not off:
            return schedules.shown(client, ctx, branch)
        return schedules.changed(client, ctx, branch, [turn] if turn else [], also=also)


@operation(
    "snapshot.delete",
    effect=Effect.DESTROY,
    examples=(
        Example(
            {"name": "short-lived"},
            before=(("snapshot.create", {"name": "short-lived"}),),
            problem="confirmation-needed",
        ),
        Example({"name": "short-lived"}, confirmed=True),
        Example({"name": "no-such-snapshot"}, problem="snapshot-not-found"),
    ),
)
def snapshot_delete(ctx: Context, name: AnySnapshot) -> Deleted:
    """Delete a snapshot."""
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        snapshot = client.find_snapshot(project, name)
        names = {each.id: each.name for each in client.branches(project.id)}
        of = names.get(snapshot.source_branch_id or "", "a branch that is gone")
        plan = Plan(
            operation="snapshot.delete",
            effect=Effect.DESTROY,
            target=Target(project=project.name, branch=names.get(snapshot.source_branch_id or "")),
            steps=(
                f"Delete snapshot {snapshot.name} ({snapshot.id}) of {of} in project {project.name}.",
                f"What {of} held at {snapshot.timestamp or snapshot.created_at:%Y-%m-%d %H:%M} UTC cannot be "
                "had from it any more.",
            ),
        )
        with ctx.carry_out(plan):
            client.delete_snapshot(project.id, snapshot.id)
    return Deleted(kind="snapshot", name=snapshot.name, id=snapshot.id, project=project.name)
