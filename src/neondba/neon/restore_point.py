"""A place to come back to: what a branch holds now, kept before it is changed.

A root branch gets a snapshot. Where there can be none, a child branch gets a branch of its own with an
expiry. A branch that expires can have neither: its own history is the way back, as far as it reaches.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from shlex import quote
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from neondba.core.context import Context
from neondba.core.duration import spell
from neondba.core.problem import ConflictProblem, Problem
from neondba.neon.models import Branch, Project

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

KEPT: Final = timedelta(days=7)
_NO_SNAPSHOTS: Final = frozenset({402, 403, 404, 405, 422, 501})
"""Statuses that say this branch or plan has none; a full disk or a failure is no reason to go on."""


class PointKind(StrEnum):
    """What holds the old state."""

    SNAPSHOT = "snapshot"
    BRANCH = "branch"
    MOMENT = "moment"
    """Nothing but the branch's own history."""


class RestorePoint(BaseModel):
    """The state of a branch before a change, and how to come back to it."""

    kind: PointKind
    name: str
    """Name of the snapshot or branch; the LSN or time of a moment."""
    id: str | None
    project: str
    branch: str
    """The branch whose state it is."""
    made_at: datetime
    expires_at: datetime | None
    come_back: str
    """The command that puts the old state back."""

    def sentence(self) -> str:
        """Say what there is and what to do with it."""
        until = f" until {self.expires_at:%Y-%m-%d %H:%M} UTC" if self.expires_at else ""
        return f"Restore point: {self.kind} {self.name}{until}. To come back: {self.come_back}"


def planned_restore_point(branch: Branch, *, keep: timedelta = KEPT) -> str:
    """Give the step that a plan names before the change itself."""
    if branch.expires_at is not None:
        return f"Note the present moment of {branch.name}: its history is the way back."
    kind = "a snapshot" if _may_have_snapshots(branch) else "a branch"
    return f"Make a restore point of {branch.name} first: {kind} that is kept for {spell(keep)}."


def make_restore_point(
    client: NeonClient,
    ctx: Context,
    project: Project,
    branch: Branch,
    *,
    purpose: str,
    keep: timedelta = KEPT,
    lsn: str | None = None,
) -> RestorePoint:
    """Keep what a branch holds now; `purpose` is a word for its name, such as `merge`.

    `lsn`, where the caller is connected and knows it, makes a moment exact whatever our clock says.

    Raises:
        ConflictProblem: the branch expires and its project keeps no history.
        Problem: the platform cannot make it; then nothing should be changed.
    """
    now = ctx.clock.now()
    wanted = f"{branch.name[:200]}_before_{purpose}_{now:%Y-%m-%d_%H-%M-%S}"
    until = now.replace(microsecond=0) + keep
    if branch.expires_at is not None:
        return _moment(project, branch, lsn or now.isoformat(timespec="microseconds"), now)
    ctx.progress(f"Making a restore point of {branch.name}")
    if _may_have_snapshots(branch):
        try:
            return _snapshot(client, project, branch, wanted, now, until)
        except Problem as problem:
            if problem.facts.get("status") not in _NO_SNAPSHOTS:
                raise
    return _branch(client, project, branch, wanted, now, until)


def _may_have_snapshots(branch: Branch) -> bool:
    """Tell whether it is worth asking: a default branch restored to its own past is a root to Neon still."""
    return branch.parent_id is None or (branch.default and branch.last_reset_at is not None)


def _snapshot(
    client: NeonClient, project: Project, branch: Branch, wanted: str, now: datetime, until: datetime
) -> RestorePoint:
    name = _fresh(wanted, {each.name for each in client.snapshots(project.id)})
    made = client.create_snapshot(project.id, branch.id, name=name, expires_at=until)
    command = f"neondba snapshot restore {quote(name)} --finalise --project {quote(project.name)}"
    return RestorePoint(
        kind=PointKind.SNAPSHOT,
        name=name,
        id=made.id,
        project=project.name,
        branch=branch.name,
        made_at=now,
        expires_at=until,
        come_back=command,
    )


def _branch(
    client: NeonClient, project: Project, branch: Branch, wanted: str, now: datetime, until: datetime
) -> RestorePoint:
    name = _fresh(wanted, {each.name for each in client.branches(project.id)})
    made = client.create_branch(project.id, name, parent_id=branch.id, expires_at=until, compute=False)
    return RestorePoint(
        kind=PointKind.BRANCH,
        name=name,
        id=made.branch.id,
        project=project.name,
        branch=branch.name,
        made_at=now,
        expires_at=until,
        come_back=_unprotected(branch, project, f"--source {quote(name)}"),
    )


def _moment(project: Project, branch: Branch, point: str, now: datetime) -> RestorePoint:
    if not project.history_retention_seconds:
        raise ConflictProblem(
            "no-restore-point",
            f"Branch {branch.name} expires, so it can have no branch or snapshot to come back to, and "
            f"project {project.name} keeps no history.",
            hint=f"Let it stay: neondba branch expire {quote(branch.name)} --never",
        )
    window = timedelta(seconds=project.history_retention_seconds)
    return RestorePoint(
        kind=PointKind.MOMENT,
        name=point,
        id=None,
        project=project.name,
        branch=branch.name,
        made_at=now,
        expires_at=(now + window).replace(microsecond=0),
        come_back=_unprotected(branch, project, f"--at {point}"),
    )


def _unprotected(branch: Branch, project: Project, source: str) -> str:
    """Give the command for `branch restore`, which Neon refuses while a branch is protected."""
    where = f"--project {quote(project.name)}"
    off = f"neondba branch protect {quote(branch.name)} --off {where} && " if branch.protected else ""
    return f"{off}neondba branch restore {quote(branch.name)} {source} {where}"


def _fresh(wanted: str, taken: set[str]) -> str:
    names = (wanted, *(f"{wanted}_{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
