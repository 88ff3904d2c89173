"""Start, stop and furnish computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neondba.local.control import naps, roles
from neondba.local.control.actions import branch_of, performs, undoes
from neondba.local.control.names import compute_name
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows
from neondba.local.state.tables import DatabaseRow, EndpointRow, OperationRow, RoleRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


@performs("start_compute")
def start(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Wake a compute and apply what the arguments ask for; one too many stays asleep."""
    branch, endpoint = branch_of(plane, operation), _endpoint(plane, operation)
    name = branch.timeline_id
    if endpoint is not None:
        with plane.state.read() as rows:
            name = compute_name(rows, endpoint)
            idle = plane.computes.running(name) is None
            if endpoint.disabled or (idle and naps.over_limit(rows, plane.computes, endpoint)):
                return apply(plane, operation, arguments)
    compute = plane.computes.start(name)
    apply(plane, operation, arguments)
    now, compute.announced = stamp(plane.clock.now()), True
    with plane.state.change() as rows:
        for row in rows.all(EndpointRow, **_which(operation)):
            row.started_at = row.last_active = row.updated_at = now
            row.suspended_at = None
    return None


@performs("suspend_compute")
def suspend(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Let a compute sleep, the one that the endpoint had when it was asked."""
    branch, endpoint = branch_of(plane, operation), _endpoint(plane, operation)
    with plane.state.read() as rows:
        name = branch.timeline_id if endpoint is None else compute_name(rows, endpoint)
    plane.computes.stop(arguments.get("compute") or name)
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        for row in rows.all(EndpointRow, **_which(operation)):
            row.suspended_at = row.updated_at = now


def _endpoint(plane: Plane, operation: OperationRow) -> EndpointRow | None:
    if operation.endpoint_id is None:
        return None
    with plane.state.read() as rows:
        return rows.get(EndpointRow, operation.endpoint_id)


def _which(operation: OperationRow) -> dict[str, Any]:
    """Say which endpoints an operation is about: one, or all of its branch."""
    if operation.endpoint_id is not None:
        return {"id": operation.endpoint_id}
    return {"branch_id": operation.branch_id, "type": "read_write"}


@performs("apply_config")
def apply(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Make a branch's roles and databases what the API was told."""
    branch = branch_of(plane, operation)
    if not arguments:
        return
    if step := arguments.get("masking"):
        from neondba.local.control.actions import anonymize

        anonymize.run(plane, operation, step)
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
