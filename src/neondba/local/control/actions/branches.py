"""Make and delete the directories of branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from neondba.local.storage import backup, template
from neondba.local.storage.point import Point

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


@performs("create_timeline")
def create_root(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Make a project's first directory from the template."""
    branch = branch_of(plane, operation)
    if not plane.branches.exists(branch.timeline_id):
        source = template.ensure(plane.binaries, plane.templates)
        with plane.branches.making(branch.timeline_id) as data:
            backup.clone_stopped(plane.history.cloner, source, data, plane.branches.owner)
    _ready(plane, branch.id, None)


@performs("create_branch")
def create_child(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Clone the parent's directory as it is now."""
    branch = branch_of(plane, operation)
    with plane.state.read() as rows:
        parent = rows.get(BranchRow, branch.parent_id)
    assert parent is not None
    fork = plane.history.make(parent.timeline_id, Point(), branch.timeline_id)
    _ready(plane, branch.id, fork.lsn)


def _ready(plane: Plane, branch_id: str, position: str | None) -> None:
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        branch = rows.get(BranchRow, branch_id)
        if branch is not None:
            branch.state, branch.state_changed_at, branch.updated_at = "ready", now, now
            branch.cloned_by = plane.history.cloner.name
            branch.parent_lsn = position or branch.parent_lsn


@performs("delete_timeline")
def delete(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Delete one branch, or the whole project when the operation names no branch."""
    with plane.state.read() as rows:
        equals = {"id": operation.branch_id} if operation.branch_id else {"project_id": operation.project_id}
        found = rows.all(BranchRow, **equals)
    for branch in found:
        plane.computes.stop(branch.timeline_id, at_once=True)
        plane.branches.replace(branch.timeline_id)
    with plane.state.change() as rows:
        if operation.branch_id:
            forget_branch(rows, operation.branch_id)
        else:
            forget_project(rows, operation.project_id)


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
    rows.delete(*rows.all(ProjectRow, id=project_id))
