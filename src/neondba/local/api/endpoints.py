"""Endpoints: computes and their addresses."""

from __future__ import annotations

from typing import Any

from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers, checked_sizes, seconds, size
from neondba.local.control import changes
from neondba.local.state.tables import EndpointRow, OperationRow

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
    says="Gives a branch its read-write endpoint.",
    differs="read_only answers 501.",
)
def create_endpoint(call: Call) -> dict[str, Any]:
    """Give a branch an endpoint."""
    wanted = call.part("endpoint")
    checked_sizes(wanted)
    if wanted.get("type", "read_write") != "read_write":
        raise Refusal(501, "read replicas are not available in the local Neon yet")
    with call.locked() as rows:
        branch = call.branch(rows, str(wanted.get("branch_id") or ""))
        if rows.all(EndpointRow, branch_id=branch.id, deleting=False):
            raise Refusal(400, "read-write endpoint already exists")
        made = changes.endpoint(rows, branch, call.now, wanted)
        return _with(call, made, [_operation(call, rows, made, "start_compute")])


@answers("GET", ONE, "getProjectEndpoint", says="Shows an endpoint and whether its compute is awake.")
def get_endpoint(call: Call) -> dict[str, Any]:
    """Show an endpoint."""
    with call.plane.state.read() as rows:
        return {"endpoint": views.endpoint(call.plane, call.endpoint(rows))}


@answers(
    "PATCH",
    ONE,
    "updateProjectEndpoint",
    says="Changes sizes, suspend timeout, name.",
    differs="Sizes are kept, not applied.",
)
def update_endpoint(call: Call) -> dict[str, Any]:
    """Change an endpoint's settings."""
    wanted = call.part("endpoint")
    checked_sizes(wanted)
    with call.locked() as rows:
        found = call.endpoint(rows)
        found.min_cu = size(wanted, "autoscaling_limit_min_cu", found.min_cu)
        found.max_cu = size(wanted, "autoscaling_limit_max_cu", found.max_cu)
        timeout = seconds(wanted, "suspend_timeout_seconds", found.suspend_timeout_seconds)
        found.suspend_timeout_seconds = timeout
        found.name = str(wanted.get("name") or found.name)
        found.disabled = bool(wanted.get("disabled", found.disabled))
        found.updated_at = call.now
        return _with(call, found, [])


@answers("DELETE", ONE, "deleteProjectEndpoint", says="Deletes an endpoint; data stays.")
def delete_endpoint(call: Call) -> dict[str, Any] | None:
    """Delete an endpoint; its branch and data stay."""
    with call.locked() as rows:
        found = rows.get(EndpointRow, call.path["endpoint_id"])
        if found is None or found.deleting or found.project_id != call.path["project_id"]:
            return None
        shown = _with(call, found, [_operation(call, rows, found, "suspend_compute")])
        rows.delete(found)
        return shown


@answers("POST", ONE + "/start", "startProjectEndpoint", says="Wakes a compute.")
def start_endpoint(call: Call) -> dict[str, Any]:
    """Wake a compute."""
    with call.locked() as rows:
        found = call.endpoint(rows)
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
        actions = ("suspend_compute", "start_compute")
        return _with(call, found, [_operation(call, rows, found, action) for action in actions])


def _operation(call: Call, rows: Any, found: EndpointRow, action: str) -> OperationRow:
    return changes.operation(
        rows, action, found.project_id, call.now, branch_id=found.branch_id, endpoint_id=found.id
    )


def _with(call: Call, found: EndpointRow, operations: list[OperationRow]) -> dict[str, Any]:
    shown = [views.operation(row) for row in operations]
    return {"endpoint": views.endpoint(call.plane, found), "operations": shown}
