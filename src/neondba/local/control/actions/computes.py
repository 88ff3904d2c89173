"""Start, stop and furnish computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neondba.local.control import roles
from neondba.local.control.actions import branch_of, performs, undoes
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows
from neondba.local.state.tables import DatabaseRow, EndpointRow, OperationRow, RoleRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


@performs("start_compute")
def start(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Wake a branch's compute and apply what the arguments ask for."""
    branch = branch_of(plane, operation)
    plane.computes.start(branch.timeline_id)
    apply(plane, operation, arguments)
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        for endpoint in rows.all(EndpointRow, branch_id=branch.id):
            endpoint.started_at = endpoint.last_active = endpoint.updated_at = now
            endpoint.suspended_at = None


@performs("suspend_compute")
def suspend(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Let a branch's compute sleep."""
    branch = branch_of(plane, operation)
    plane.computes.stop(branch.timeline_id)
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        for endpoint in rows.all(EndpointRow, branch_id=branch.id):
            endpoint.suspended_at = endpoint.updated_at = now


@performs("apply_config")
def apply(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Make a branch's roles and databases what the API was told."""
    branch = branch_of(plane, operation)
    if not arguments:
        return
    with plane.state.read() as rows:
        passwords = {role.name: role for role in rows.all(RoleRow, branch_id=branch.id)}
        owners = {base.name: base.owner_name for base in rows.all(DatabaseRow, branch_id=branch.id)}
    roles.apply(plane.computes.start(branch.timeline_id), arguments, passwords, owners)
    with plane.state.change() as rows:
        for name in arguments.get("drop_roles", []):
            rows.delete(*rows.all(RoleRow, branch_id=branch.id, name=name))
        for name in arguments.get("drop_databases", []):
            rows.delete(*rows.all(DatabaseRow, branch_id=branch.id, name=name))


@undoes("apply_config")
def forget(_plane: Plane, rows: Rows, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Forget roles and databases that never came to be."""
    for name in arguments.get("new_roles", []):
        rows.delete(*rows.all(RoleRow, branch_id=operation.branch_id, name=name))
    for name in arguments.get("databases", []):
        rows.delete(*rows.all(DatabaseRow, branch_id=operation.branch_id, name=name))
    for name, owner in arguments.get("former_owners", {}).items():
        for base in rows.all(DatabaseRow, branch_id=operation.branch_id, name=name):
            base.owner_name = owner
    for old, new in arguments.get("rename_databases", []):
        for base in rows.all(DatabaseRow, branch_id=operation.branch_id, name=new):
            base.name = old
