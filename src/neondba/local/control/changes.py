"""Changes as rows: what is promised, and the operations that keep it."""

from __future__ import annotations

import json
from typing import Any

from neondba.local import ids
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


def operation(
    rows: Rows,
    action: str,
    project_id: str,
    now: str,
    *,
    branch_id: str | None = None,
    endpoint_id: str | None = None,
    **arguments: Any,
) -> OperationRow:
    """Write down an intent."""
    row = OperationRow(
        id=ids.operation_id(),
        project_id=project_id,
        branch_id=branch_id,
        endpoint_id=endpoint_id,
        action=action,
        created_at=now,
        updated_at=now,
        arguments=json.dumps(arguments),
    )
    rows.add(row)
    return row


def timeline(rows: Rows, name: str, project_id: str, now: str, parent_id: str | None = None) -> TimelineRow:
    """Give a branch-to-be its timeline."""
    row = TimelineRow(id=name, project_id=project_id, parent_id=parent_id, created_at=now)
    rows.add(row)
    return row


def root_branch(rows: Rows, project_id: str, name: str, now: str) -> BranchRow:
    """Give a project its first branch, which is its default."""
    branch_id = ids.branch_id()
    row = BranchRow(
        id=branch_id,
        project_id=project_id,
        timeline_id=timeline(rows, branch_id, project_id, now).id,
        name=name,
        is_default=True,
        state_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    rows.add(row)
    return row


def endpoint(rows: Rows, branch: BranchRow, now: str, wanted: dict[str, Any]) -> EndpointRow:
    """Give a branch an endpoint."""
    row = EndpointRow(
        id=ids.endpoint_id(),
        project_id=branch.project_id,
        branch_id=branch.id,
        type=wanted.get("type") or "read_write",
        name=wanted.get("name") or "",
        min_cu=wanted.get("autoscaling_limit_min_cu") or 0.25,
        max_cu=wanted.get("autoscaling_limit_max_cu") or wanted.get("autoscaling_limit_min_cu") or 0.25,
        suspend_timeout_seconds=wanted.get("suspend_timeout_seconds") or 0,
        disabled=bool(wanted.get("disabled", False)),
        created_at=now,
        updated_at=now,
    )
    rows.add(row)
    return row


def role(rows: Rows, branch_id: str, name: str, now: str, *, no_login: bool = False) -> RoleRow:
    """Give a branch a role with a new password."""
    row = RoleRow(
        branch_id=branch_id,
        name=name,
        password=ids.password(),
        no_login=no_login,
        created_at=now,
        updated_at=now,
    )
    rows.add(row)
    return row


def database(rows: Rows, branch_id: str, name: str, owner: str, now: str) -> DatabaseRow:
    """Give a branch a database."""
    row = DatabaseRow(branch_id=branch_id, name=name, owner_name=owner, created_at=now, updated_at=now)
    rows.add(row)
    return row


def copied_rows(rows: Rows, parent: BranchRow, child: BranchRow, now: str) -> None:
    """Give a child its parent's roles and databases, passwords included."""
    for old in rows.all(RoleRow, branch_id=parent.id):
        values = old.model_dump(exclude={"number"})
        rows.add(RoleRow(**{**values, "branch_id": child.id, "created_at": now, "updated_at": now}))
    for base in rows.all(DatabaseRow, branch_id=parent.id):
        values = base.model_dump(exclude={"id"})
        rows.add(DatabaseRow(**{**values, "branch_id": child.id, "created_at": now, "updated_at": now}))


def delete_branch(rows: Rows, branch: BranchRow, now: str) -> list[OperationRow]:
    """Hide a branch and write down that its directory is to go."""
    branch.deleting, branch.updated_at = True, now
    operations = []
    for found in rows.all(EndpointRow, branch_id=branch.id):
        found.deleting = True
        operations.append(
            operation(
                rows, "suspend_compute", branch.project_id, now, branch_id=branch.id, endpoint_id=found.id
            )
        )
    operations.append(operation(rows, "delete_timeline", branch.project_id, now, branch_id=branch.id))
    return operations


def delete_project(rows: Rows, project: ProjectRow, now: str) -> None:
    """Hide a project and write down that all of it is to go."""
    project.deleting, project.updated_at = True, now
    operation(rows, "delete_timeline", project.id, now)
