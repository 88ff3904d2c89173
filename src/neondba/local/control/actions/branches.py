"""Make and delete the directories of branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neondba.local.control import timelines
from neondba.local.control.actions import branch_of, performs, undoes
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows
from neondba.local.state.tables import (
    BranchRow,
    DatabaseRow,
    EndpointRow,
    OperationRow,
    ProjectRow,
    RoleRow,
    TimelineRow,
)

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


@performs("create_timeline")
def create_root(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Make a project's first directory from the template."""
    branch = branch_of(plane, operation)
    plane.history.make_root(plane.template(branch.project_id), branch.timeline_id)
    _ready(plane, branch.id, None)


@performs("create_branch")
def create_child(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Make a directory as the parent is now, or was at a point."""
    branch = branch_of(plane, operation)
    with plane.state.read() as rows:
        parent = rows.get(BranchRow, branch.parent_id)
    assert parent is not None
    fork = plane.history.make(parent.timeline_id, timelines.point(arguments), branch.timeline_id)
    _ready(plane, branch.id, fork.lsn)


def _ready(plane: Plane, branch_id: str, position: str | None) -> None:
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        branch = rows.get(BranchRow, branch_id)
        if branch is not None:
            branch.state, branch.state_changed_at, branch.updated_at = "ready", now, now
            branch.cloned_by = plane.history.cloner.name
            branch.parent_lsn = position or branch.parent_lsn
            line = rows.get(TimelineRow, branch.timeline_id)
            if line is not None and line.parent_id is not None:
                line.fork_lsn, line.forked_at = branch.parent_lsn, branch.parent_timestamp


@performs("delete_timeline")
def delete(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Delete the named timelines, or a branch, or the whole project when neither is named."""
    with plane.state.read() as rows:
        names = arguments.get("timelines") or _names(rows, operation)
    for name in names:
        timelines.discard(plane, name)
    with plane.state.change() as rows:
        if "timelines" in arguments:
            for name in names:
                rows.delete(*rows.all(TimelineRow, id=name))
        elif operation.branch_id:
            forget_branch(rows, operation.branch_id)
        else:
            forget_project(rows, operation.project_id)


def _names(rows: Rows, operation: OperationRow) -> list[str]:
    if operation.branch_id is None:
        kept = [row.id for row in rows.all(TimelineRow, project_id=operation.project_id)]
        return kept + [row.id for row in rows.all(EndpointRow, project_id=operation.project_id)]
    branch = rows.get(BranchRow, operation.branch_id)
    replicas = rows.all(EndpointRow, branch_id=operation.branch_id, type="read_only")
    return [*([branch.timeline_id] if branch else []), *(row.id for row in replicas)]


@undoes("create_timeline")
def forget_root(_plane: Plane, rows: Rows, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Forget a project that never came to be."""
    forget_project(rows, operation.project_id)


@undoes("create_branch")
def forget_child(_plane: Plane, rows: Rows, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Forget a branch that never came to be."""
    forget_branch(rows, operation.branch_id)


def forget_branch(rows: Rows, branch_id: str | None) -> None:
    """Delete a branch's rows, and its timeline's where no other branch has it."""
    for kind in (RoleRow, DatabaseRow, EndpointRow):
        rows.delete(*rows.all(kind, branch_id=branch_id))
    for branch in rows.all(BranchRow, id=branch_id):
        rows.delete(branch)
        if not rows.all(BranchRow, timeline_id=branch.timeline_id):
            rows.delete(*rows.all(TimelineRow, id=branch.timeline_id))


def forget_project(rows: Rows, project_id: str) -> None:
    """Delete a project's rows."""
    for branch in rows.all(BranchRow, project_id=project_id):
        forget_branch(rows, branch.id)
    rows.delete(*rows.all(TimelineRow, project_id=project_id))
    rows.delete(*rows.all(ProjectRow, id=project_id))
