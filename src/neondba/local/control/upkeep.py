"""What time does to snapshots, to deleted things and to branches that nobody uses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from neondba.local.control import changes, schedules, snapshots
from neondba.local.control.worker import stamp
from neondba.local.state.snapshots import ScheduleRow, SnapshotRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, ProjectRow

RECOVERABLE: Final = timedelta(days=7)
ARCHIVED_AGE: Final = timedelta(days=14)
ARCHIVED_QUIET: Final = timedelta(hours=24)


def recoverable_until(deleted_at: str) -> datetime:
    """Give the moment after which a deleted thing is gone."""
    return datetime.fromisoformat(deleted_at) + RECOVERABLE


def keep(rows: Rows, now: datetime, awake: set[str], window: timedelta = RECOVERABLE) -> set[str]:
    """Write down what is due; give the projects that have something to do.

    A project with an operation in flight waits for the next round. `window` is how long deleted things
    are kept.
    """
    busy, todo = {row.project_id for row in rows.unfinished()}, set[str]()
    for project in rows.all(ProjectRow):
        if project.id in busy:
            continue
        gone = _purge(rows, project, now - window, stamp(now))
        kept = not project.deleting and _keep_project(rows, project, now, awake)
        if gone or kept:
            todo.add(project.id)
    return todo


def _purge(rows: Rows, project: ProjectRow, before: datetime, now: str) -> bool:
    """Write down what of a project, or that all of it, can no longer be recovered."""
    things: list[ProjectRow | BranchRow] = [project]
    if not project.deleting:
        things += rows.all(BranchRow, project_id=project.id, deleting=True)
    due = [each for each in things if each.deleted_at and datetime.fromisoformat(each.deleted_at) <= before]
    for thing in due:
        purge(rows, thing, now)
    return bool(due)


def recoverable(rows: Rows) -> list[ProjectRow | BranchRow]:
    """Give what is deleted and could still be recovered."""
    projects = [row for row in rows.all(ProjectRow, deleting=True) if row.deleted_at]
    branches = [row for row in rows.all(BranchRow, deleting=True) if row.deleted_at]
    return [*projects, *branches]


def purge(rows: Rows, thing: ProjectRow | BranchRow, now: str) -> None:
    """Write down that a deleted thing can no longer be recovered."""
    thing.deleted_at = None
    branch_id = thing.id if isinstance(thing, BranchRow) else None
    project_id = thing.project_id if isinstance(thing, BranchRow) else thing.id
    changes.operation(rows, "delete_timeline", project_id, now, branch_id=branch_id)


def _keep_project(rows: Rows, project: ProjectRow, now: datetime, awake: set[str]) -> bool:
    done = False
    for snapshot in rows.all(SnapshotRow, project_id=project.id):
        if snapshot.expires_at is not None and snapshot.expires_at <= stamp(now):
            snapshots.forget(rows, snapshot, stamp(now))
            done = True
    for schedule in rows.all(ScheduleRow, project_id=project.id):
        done = _take_due(rows, schedule, now) or done
    return _archive(rows, project, now, awake) or done


def _take_due(rows: Rows, schedule: ScheduleRow, now: datetime) -> bool:
    """Take one snapshot for all that became due, kept as long as the longest of them says."""
    branch = rows.get(BranchRow, schedule.branch_id)
    if branch is None or branch.deleting or branch.state != "ready":
        return False
    due = schedules.due(json.loads(schedule.items), datetime.fromisoformat(schedule.seen_at), now)
    if not due:
        return False
    schedule.seen_at = stamp(now)
    kept = max(int(item.get("retention_seconds") or schedules.RETENTION) for item in due)
    until = stamp(now + timedelta(seconds=kept))
    snapshots.take(rows, branch, stamp(now), expires_at=until, scheduled=str(due[0]["frequency"]))
    return True


def _archive(rows: Rows, project: ProjectRow, now: datetime, awake: set[str]) -> bool:
    """Archive the branches that nobody used; wake those in use, and what they come from."""
    branches = {row.id: row for row in rows.all(BranchRow, project_id=project.id, deleting=False)}
    done = False
    for branch in branches.values():
        if branch.state == "archived" and branch.timeline_id in awake:
            done = bool(changes.unarchive(rows, branch, stamp(now))) or done
    parents = {row.parent_id for row in branches.values() if row.state != "archived"}
    for branch in branches.values():
        if branch.id in parents or not _forgotten(rows, branch, now, awake):
            continue
        changes.operation(rows, "timeline_archive", project.id, stamp(now), branch_id=branch.id)
        done = True
    return done


def _forgotten(rows: Rows, branch: BranchRow, now: datetime, awake: set[str]) -> bool:
    if branch.state != "ready" or branch.protected or branch.timeline_id in awake:
        return False
    if datetime.fromisoformat(branch.created_at) > now - ARCHIVED_AGE:
        return False
    endpoints = rows.all(EndpointRow, branch_id=branch.id)
    if {row.id for row in endpoints} & awake:
        return False
    used = [branch.last_reset_at, branch.state_changed_at]
    for row in endpoints:
        used += [row.last_active, row.started_at, row.suspended_at]
    last = max(datetime.fromisoformat(each) for each in used if each)
    return last.astimezone(UTC) <= now - ARCHIVED_QUIET
