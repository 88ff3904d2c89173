"""Changes as rows: what is promised, and the operations that keep it."""

from __future__ import annotations

import json
from typing import Any

from neondba.core.problem import ArgumentProblem
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
from neondba.neon.limits import SMALLEST, Size


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
    """Give a branch an endpoint; what is not said comes from the project's defaults.

    Raises:
        ArgumentProblem: the defaults and what is wanted make no size.
    """
    project = rows.get(ProjectRow, branch.project_id)
    usual = json.loads(project.endpoint_defaults) if project is not None else {}
    size, timeout = sized(usual, wanted), wanted.get("suspend_timeout_seconds")
    settings = dict(wanted.get("settings") or {})
    if usual.get("pg_settings"):
        settings["pg_settings"] = {**usual["pg_settings"], **(settings.get("pg_settings") or {})}
    row = EndpointRow(
        id=ids.endpoint_id(),
        project_id=branch.project_id,
        branch_id=branch.id,
        type=wanted.get("type") or "read_write",
        name=wanted.get("name") or "",
        min_cu=size.min_cu,
        max_cu=size.max_cu,
        suspend_timeout_seconds=(usual.get("suspend_timeout_seconds") or 0) if timeout is None else timeout,
        settings=json.dumps(settings),
        disabled=bool(wanted.get("disabled", False)),
        created_at=now,
        updated_at=now,
    )
    rows.add(row)
    return row


def sized(usual: dict[str, Any], wanted: dict[str, Any]) -> Size:
    """Give the size that is wanted, with a project's usual bounds for those not given.

    Raises:
        ArgumentProblem: together they make none.
    """
    low, high = (f"autoscaling_limit_{name}_cu" for name in ("min", "max"))
    base = Size.within(usual.get(low), usual.get(high), Size(SMALLEST, SMALLEST))
    size = Size.within(wanted.get(low), wanted.get(high), base)
    if said := size.fault():
        raise ArgumentProblem("compute-size", said)
    return size


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


def contents(rows: Rows, parent: BranchRow, child: BranchRow, now: str) -> list[OperationRow]:
    """Give a child its parent's roles and databases; a protected parent's passwords stay its own."""
    copied_rows(rows, parent, child, now)
    operations = unarchive(rows, parent, now)
    if parent.protected and (names := renew_passwords(rows, child.id)):
        where: dict[str, Any] = {"branch_id": child.id, "passwords": names}
        operations.append(operation(rows, "apply_config", child.project_id, now, **where))
    return operations


def forget_contents(rows: Rows, branch_id: str | None) -> None:
    """Forget a branch's roles and databases."""
    for kind in (RoleRow, DatabaseRow):
        rows.delete(*rows.all(kind, branch_id=branch_id))


def renew_passwords(rows: Rows, branch_id: str, own: dict[str, str] | None = None) -> list[str]:
    """Give a branch's roles passwords that its protected parent does not have; give their names."""
    found = [row for row in rows.all(RoleRow, branch_id=branch_id) if row.password]
    for each in found:
        each.password = (own or {}).get(each.name) or ids.password()
    return [each.name for each in found]


def children(rows: Rows, branch: BranchRow) -> list[BranchRow]:
    """Give the branches that stand in the way of a branch's deletion.

    A branch that was restored to its own past does not: its data no longer come from here.
    """
    found = rows.all(BranchRow, parent_id=branch.id, deleting=False)
    return [row for row in found if row.preserved_as != branch.id]


def delete_branch(rows: Rows, branch: BranchRow, now: str, *, hard: bool) -> list[OperationRow]:
    """Hide a branch, let its computes sleep, and write down whether its data is to go now."""
    where = {"branch_id": branch.id}
    branch.deleting, branch.updated_at = True, now
    branch.deleted_at = None if hard else now
    for restored in rows.all(BranchRow, parent_id=branch.id, preserved_as=branch.id):
        restored.parent_id, restored.preserved_as = branch.parent_id, branch.preserved_as
        restored.parent_lsn = restored.parent_timestamp = None
    operations = []
    for found in rows.all(EndpointRow, branch_id=branch.id):
        found.deleting = True
        operations.append(
            operation(rows, "suspend_compute", branch.project_id, now, endpoint_id=found.id, **where)
        )
    if hard:
        operations.append(operation(rows, "delete_timeline", branch.project_id, now, **where))
    return operations


def delete_project(rows: Rows, project: ProjectRow, now: str, *, hard: bool) -> None:
    """Hide a project, let its computes sleep, and write down whether its data is to go now."""
    project.deleting, project.updated_at = True, now
    project.deleted_at = None if hard else now
    for found in rows.all(EndpointRow, project_id=project.id, deleting=False):
        found.deleting = True
        where = {"branch_id": found.branch_id, "endpoint_id": found.id}
        operation(rows, "suspend_compute", project.id, now, **where)
    if hard:
        operation(rows, "delete_timeline", project.id, now)


def recover_branch(rows: Rows, branch: BranchRow, now: str) -> None:
    """Show a deleted branch and its endpoints again; it no longer expires."""
    branch.deleting, branch.deleted_at, branch.updated_at = False, None, now
    branch.expires_at = branch.ttl_interval_seconds = None
    for found in rows.all(EndpointRow, branch_id=branch.id):
        found.deleting, found.updated_at = False, now


def recover_project(rows: Rows, project: ProjectRow, now: str) -> None:
    """Show a deleted project again, without the branches that were deleted before it."""
    project.deleting, project.deleted_at, project.updated_at = False, None, now
    for branch in rows.all(BranchRow, project_id=project.id, deleting=False):
        for found in rows.all(EndpointRow, branch_id=branch.id):
            found.deleting, found.updated_at = False, now


def unarchive(rows: Rows, branch: BranchRow, now: str) -> list[OperationRow]:
    """Wake an archived branch and whatever archived branches it comes from."""
    operations, current = [], branch if branch.state == "archived" else None
    while current is not None and current.state == "archived":
        where = {"branch_id": current.id}
        operations.append(operation(rows, "timeline_unarchive", branch.project_id, now, **where))
        current = rows.get(BranchRow, current.parent_id) if current.parent_id else None
    return operations[::-1]
