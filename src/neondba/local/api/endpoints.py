"""Endpoints: computes and their addresses."""

from __future__ import annotations

from typing import Any

from neondba.local.api import compute_options, views
from neondba.local.api.call import Call, Refusal, answers, seconds
from neondba.local.api.space import require_space
from neondba.local.control import changes, naps
from neondba.local.control.names import compute_name
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, OperationRow

ALL = "/projects/{project_id}/endpoints"
ONE = ALL + "/{endpoint_id}"


@answers("GET", ALL, "listProjectEndpoints", says="Lists a project's endpoints.")
def list_endpoints(call: Call) -> dict[str, Any]:
    """List a project's endpoints."""
    with call.plane.state.read() as rows:
        call.project(rows)
        found = rows.all(EndpointRow, project_id=call.path["project_id"], deleting=False)
    return {"endpoints": [views.endpoint(call.plane, row) for row in found]}


@answers(
    "GET",
    "/projects/{project_id}/branches/{branch_id}/endpoints",
    "listProjectBranchEndpoints",
    says="Lists a branch's endpoints.",
)
def list_branch_endpoints(call: Call) -> dict[str, Any]:
    """List a branch's endpoints."""
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
        found = rows.all(EndpointRow, branch_id=branch.id, deleting=False)
    return {"endpoints": [views.endpoint(call.plane, row) for row in found]}


@answers(
    "POST",
    ALL,
    "createProjectEndpoint",
    201,
    says="Gives a branch its read-write endpoint, or one more read replica.",
    differs="A replica is a streaming standby over a clone, so it takes room. Their number is not limited.",
)
def create_endpoint(call: Call) -> dict[str, Any]:
    """Give a branch an endpoint."""
    wanted = call.part("endpoint")
    with call.locked() as rows:
        branch = call.branch(rows, str(wanted.get("branch_id") or ""))
        compute_options.checked(wanted, call.project(rows))
        if wanted.get("type", "read_write") == "read_only":
            require_space(call.plane, branch.timeline_id)
        else:
            _only_one(rows, branch)
        made = changes.endpoint(rows, branch, call.now, wanted)
        operations = [] if made.disabled else [_operation(call, rows, made, "start_compute")]
        return _with(call, made, operations)


@answers("GET", ONE, "getProjectEndpoint", says="Shows an endpoint and whether its compute is awake.")
def get_endpoint(call: Call) -> dict[str, Any]:
    """Show an endpoint."""
    with call.plane.state.read() as rows:
        return {"endpoint": views.endpoint(call.plane, call.endpoint(rows))}


@answers(
    "PATCH",
    ONE,
    "updateProjectEndpoint",
    says="Changes sizes and settings, for which an awake compute restarts; suspend timeout, name, disabled.",
    differs="Memory is an eighth of Neon's, and nothing scales between the bounds. Only settings that "
    "users may change are taken in `pg_settings`.",
)
def update_endpoint(call: Call) -> dict[str, Any]:
    """Change an endpoint's settings."""
    wanted = call.part("endpoint")
    with call.locked() as rows:
        found = call.endpoint(rows)
        compute_options.checked(wanted, call.project(rows))
        before = (found.min_cu, found.max_cu, found.settings)
        operations = _moved(call, rows, found, wanted)
        usual = {"autoscaling_limit_min_cu": found.min_cu, "autoscaling_limit_max_cu": found.max_cu}
        size = changes.sized(usual, wanted)
        found.min_cu, found.max_cu = size.min_cu, size.max_cu
        found.settings = compute_options.merged(found, wanted)
        timeout = seconds(wanted, "suspend_timeout_seconds", found.suspend_timeout_seconds)
        found.suspend_timeout_seconds = timeout
        found.name = str(wanted.get("name") or found.name)
        disabled, found.disabled = found.disabled, bool(wanted.get("disabled", found.disabled))
        found.updated_at = call.now
        if found.disabled and not disabled:
            operations.append(_operation(call, rows, found, "suspend_compute"))
        elif before != (found.min_cu, found.max_cu, found.settings):
            operations += _restarts(call, rows, found)
        return _with(call, found, operations)


def _restarts(call: Call, rows: Rows, found: EndpointRow) -> list[OperationRow]:
    """Restart a compute whose settings change, and its replicas, which need as many connections."""
    operations = []
    for row in rows.all(EndpointRow, branch_id=found.branch_id, deleting=False):
        follows = row.type == "read_only" and found.type == "read_write"
        if row.id != found.id and not follows:
            continue
        if call.plane.computes.running(compute_name(rows, row)) is not None:
            operations.append(_operation(call, rows, row, "suspend_compute"))
            if row.id == found.id:
                operations.append(_operation(call, rows, row, "start_compute"))
    return operations


def _moved(call: Call, rows: Rows, found: EndpointRow, wanted: dict[str, Any]) -> list[OperationRow]:
    """Give an endpoint to another branch, in the old way that still is published."""
    target = wanted.get("branch_id")
    if target in (None, found.branch_id):
        return []
    branch = call.branch(rows, str(target))
    if found.type == "read_write":
        _only_one(rows, branch)
    operation = _operation(call, rows, found, "suspend_compute")
    found.branch_id = branch.id
    return [operation]


def _only_one(rows: Rows, branch: BranchRow) -> None:
    if rows.all(EndpointRow, branch_id=branch.id, type="read_write", deleting=False):
        raise Refusal(400, "read-write endpoint already exists", "READ_WRITE_ENDPOINT_ALREADY_EXISTS")


@answers("DELETE", ONE, "deleteProjectEndpoint", says="Deletes an endpoint and ends its connections.")
def delete_endpoint(call: Call) -> dict[str, Any] | None:
    """Delete an endpoint; its branch and data stay."""
    with call.locked() as rows:
        found = rows.get(EndpointRow, call.path["endpoint_id"])
        if found is None or found.deleting or found.project_id != call.path["project_id"]:
            return None
        branch = call.branch(rows, found.branch_id)
        if branch.protected and found.type == "read_write":
            raise Refusal(422, "cannot delete the read-write endpoint of a protected branch")
        shown = _with(call, found, [_operation(call, rows, found, "suspend_compute")])
        rows.delete(found)
        return shown


@answers("POST", ONE + "/start", "startProjectEndpoint", says="Wakes a compute; one that is awake stays so.")
def start_endpoint(call: Call) -> dict[str, Any]:
    """Wake a compute."""
    with call.locked() as rows:
        found = call.endpoint(rows)
        _startable(call, rows, found)
        return _with(call, found, [_operation(call, rows, found, "start_compute")])


@answers("POST", ONE + "/suspend", "suspendProjectEndpoint", says="Lets a compute sleep.")
def suspend_endpoint(call: Call) -> dict[str, Any]:
    """Let a compute sleep."""
    with call.locked() as rows:
        found = call.endpoint(rows)
        return _with(call, found, [_operation(call, rows, found, "suspend_compute")])


@answers("POST", ONE + "/restart", "restartProjectEndpoint", says="Stops a compute and starts it.")
def restart_endpoint(call: Call) -> dict[str, Any]:
    """Stop a compute and start it again."""
    with call.locked() as rows:
        found = call.endpoint(rows)
        _startable(call, rows, found)
        actions = ("suspend_compute", "start_compute")
        return _with(call, found, [_operation(call, rows, found, action) for action in actions])


def _startable(call: Call, rows: Rows, found: EndpointRow) -> None:
    if found.disabled:
        raise Refusal(422, "endpoint is disabled", "ENDPOINT_DISABLED")
    idle = call.plane.computes.running(compute_name(rows, found)) is None
    if idle and naps.over_limit(rows, call.plane.computes, found):
        raise Refusal(402, naps.OVER_LIMIT, "ACTIVE_ENDPOINTS_LIMIT_EXCEEDED")


def _operation(call: Call, rows: Rows, found: EndpointRow, action: str) -> OperationRow:
    where: dict[str, Any] = {"branch_id": found.branch_id, "endpoint_id": found.id}
    if action == "suspend_compute":
        where["compute"] = compute_name(rows, found)
    return changes.operation(rows, action, found.project_id, call.now, **where)


def _with(call: Call, found: EndpointRow, operations: list[OperationRow]) -> dict[str, Any]:
    shown = [views.operation(row) for row in operations]
    return {"endpoint": views.endpoint(call.plane, found), "operations": shown}
