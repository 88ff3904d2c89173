"""Projects and their operations."""

from __future__ import annotations

import json
from typing import Any, Final

from neondba.local import ids
from neondba.local.api import compute_options, views
from neondba.local.api.call import Call, Refusal, answers, checked_sizes, inner, seconds
from neondba.local.api.names import BASES, identifier, plain_name
from neondba.local.api.regions import known_region
from neondba.local.control import changes
from neondba.local.control.names import compute_name
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, OperationRow, ProjectRow, RoleRow
from neondba.neon.throwaway import is_throwaway

DAY: Final = 86_400
SETTINGS: Final = "default_endpoint_settings"
SIZES: Final = ("autoscaling_limit_min_cu", "autoscaling_limit_max_cu")


@answers(
    "GET",
    "/projects",
    "listProjects",
    says="Lists projects by pages, with search; those that can be recovered with `recoverable`.",
)
def list_projects(call: Call) -> dict[str, Any]:
    """List projects, newest first, page by page."""
    limit, cursor, search = call.number("limit", 10, 400), call.query.get("cursor"), call.query.get("search")
    gone = str(call.query.get("recoverable")).lower() == "true"
    with call.plane.state.read() as rows:
        found = rows.all(ProjectRow, deleting=gone)[::-1]
    found = [row for row in found if not gone or row.deleted_at]
    if search:
        found = [row for row in found if search in (row.id, row.name) or search.lower() in row.name.lower()]
    page = _after(found, cursor)[:limit]
    shown = {"projects": [views.project(call.plane, row, listed=True) for row in page]}
    return {**shown, **_cursor(page), "applications": {}, "integrations": {}}


@answers(
    "GET",
    "/projects/shared",
    "listSharedProjects",
    says="Lists projects others have shared.",
    differs="Always empty: there are no others.",
)
def list_shared(_call: Call) -> dict[str, Any]:
    """List projects others have shared: there are no others here."""
    return {"projects": []}


@answers(
    "POST",
    "/projects",
    "createProject",
    201,
    says="Creates a project with a branch, an endpoint, a role, a database and a connection string.",
    differs="PostgreSQL 18 if none is asked for; 15 to 17 where this machine has them, otherwise 400. "
    "Answers when the branch is made.",
)
def create_project(call: Call) -> dict[str, Any]:
    """Create a project with a branch, an endpoint, a role and a database."""
    wanted = call.part("project")
    version = compute_options.release(wanted)
    first = inner(wanted, "branch")
    _checked(wanted, version)
    base = identifier("database name", first.get("database_name") or "neondb", BASES)
    owner = identifier("role name", first.get("role_name") or f"{base}_owner")
    project = _project_row(wanted, version, call.now)
    name, now = plain_name("branch name", first.get("name") or "main"), call.now
    with call.plane.state.change() as rows:
        rows.add(project)
        branch = changes.root_branch(rows, project.id, name, now)
        endpoint = changes.endpoint(rows, branch, now, json.loads(project.endpoint_defaults))
        changes.role(rows, branch.id, owner, now)
        changes.database(rows, branch.id, base, owner, now)
        where: dict[str, Any] = {"branch_id": branch.id, "endpoint_id": endpoint.id}
        named: dict[str, Any] = {"first_role": owner, "first_database": base, "passwords": [owner]}
        operations = [
            changes.operation(rows, "create_timeline", project.id, now, branch_id=branch.id),
            changes.operation(rows, "start_compute", project.id, now, **where, **named),
        ]
    call.made(operations[0])
    shown = views.created(call.plane, branch.id, operations, passwords=True)
    _seal(call, project, branch.id)
    return {"project": views.project(call.plane, project), **shown}


def _seal(call: Call, project: ProjectRow, branch_id: str) -> None:
    from neondba.local.api.roles import seal_passwords

    with call.plane.state.change() as rows:
        seal_passwords(project, *rows.all(RoleRow, branch_id=branch_id))


def _project_row(wanted: dict[str, Any], version: int, now: str) -> ProjectRow:
    project_id = ids.project_id()
    return ProjectRow(
        id=project_id,
        name=plain_name("project name", wanted.get("name") or project_id),
        region_id=known_region(wanted.get("region_id") or views.REGION),
        pg_version=version,
        history_retention_seconds=seconds(wanted, "history_retention_seconds", DAY),
        settings=json.dumps(inner(wanted, "settings")),
        endpoint_defaults=json.dumps(_defaults(wanted)),
        store_passwords=bool(wanted.get("store_passwords", True)),
        created_at=now,
        updated_at=now,
    )


def _defaults(wanted: dict[str, Any]) -> dict[str, Any]:
    """Give the settings of a project's endpoints, in the old place too."""
    old = {name: wanted[name] for name in SIZES if wanted.get(name) is not None}
    return {**old, **inner(wanted, SETTINGS)}


def _checked(wanted: dict[str, Any], version: int) -> None:
    """Refuse settings that no compute of the project could have."""
    defaults = _defaults(wanted)
    checked_sizes(defaults)
    changes.sized({}, defaults)
    compute_options.settings({"pg_settings": inner(defaults, "pg_settings")}, version)
    compute_options.libraries(inner(inner(wanted, "settings"), "preload_libraries"))


@answers(
    "GET",
    "/projects/{project_id}",
    "getProject",
    says="Shows a project, with what it used since the month began.",
    differs="Usage is counted by this machine; the storage figure is the branches' size, as read last.",
)
def get_project(call: Call) -> dict[str, Any]:
    """Show a project."""
    with call.plane.state.read() as rows:
        return {"project": views.project(call.plane, call.project(rows))}


@answers(
    "PATCH",
    "/projects/{project_id}",
    "updateProject",
    says="Changes name and settings. Logical replication, once enabled, stays so; enabling it suspends "
    "awake computes.",
    differs="Maintenance windows, audit logs and HIPAA are kept and shown; they have no effect.",
)
def update_project(call: Call) -> dict[str, Any]:
    """Change a project's name and settings."""
    wanted = call.part("project")
    with call.locked() as rows:
        project = call.project(rows)
        _checked(wanted, project.pg_version)
        operations = _replicating(call, rows, project, inner(wanted, "settings"))
        project.name = plain_name("project name", wanted.get("name", project.name))
        project.settings = json.dumps({**json.loads(project.settings), **inner(wanted, "settings")})
        defaults = {**json.loads(project.endpoint_defaults), **inner(wanted, SETTINGS)}
        project.endpoint_defaults = json.dumps(defaults)
        project.history_retention_seconds = seconds(
            wanted, "history_retention_seconds", project.history_retention_seconds
        )
        project.updated_at = call.now
        shown = [views.operation(row) for row in operations]
        return {"project": views.project(call.plane, project), "operations": shown}


def _replicating(call: Call, rows: Rows, project: ProjectRow, wanted: dict[str, Any]) -> list[OperationRow]:
    """Suspend the project's computes when logical replication is enabled: it is a setting of theirs."""
    name = "enable_logical_replication"
    before, after = bool(json.loads(project.settings).get(name)), wanted.get(name)
    if before and after is False:
        raise Refusal(400, "logical replication cannot be disabled once it is enabled")
    if before or not after:
        return []
    operations = []
    for row in rows.all(EndpointRow, project_id=project.id, deleting=False):
        if call.plane.computes.running(compute_name(rows, row)) is not None:
            where = {"branch_id": row.branch_id, "endpoint_id": row.id}
            operations.append(changes.operation(rows, "suspend_compute", project.id, call.now, **where))
    return operations


@answers(
    "DELETE",
    "/projects/{project_id}",
    "deleteProject",
    says="Deletes a project with all its branches; it can be recovered for 7 days.",
    differs="`hard_delete` (ours, as for a branch) deletes it at once; so are projects that neondba's own "
    "proofs made for themselves, and any when their room is needed for another.",
)
def delete_project(call: Call) -> dict[str, Any]:
    """Delete a project with all its branches."""
    with call.locked() as rows:
        project = call.project(rows)
        if any(branch.protected for branch in rows.all(BranchRow, project_id=project.id, deleting=False)):
            raise Refusal(422, "project has protected branches, unprotect them first")
        hard = str(call.query.get("hard_delete")).lower() == "true" or is_throwaway(project.name)
        changes.delete_project(rows, project, call.now, hard=hard)
        return {"project": views.project(call.plane, project)}


@answers(
    "GET",
    "/projects/{project_id}/operations",
    "listProjectOperations",
    says="Lists operations, newest first.",
)
def list_operations(call: Call) -> dict[str, Any]:
    """List a project's operations, newest first."""
    limit = call.number("limit", 100, 1000)
    with call.plane.state.read() as rows:
        call.project(rows)
        found = rows.all(OperationRow, project_id=call.path["project_id"])[::-1]
    page = _after(found, call.query.get("cursor"))[:limit]
    return {"operations": [views.operation(row) for row in page], **_cursor(page)}


@answers(
    "GET",
    "/projects/{project_id}/operations/{operation_id}",
    "getProjectOperation",
    says="Shows an operation.",
)
def get_operation(call: Call) -> dict[str, Any]:
    """Show an operation, also of a project that it has deleted."""
    with call.plane.state.read() as rows:
        found = rows.first(OperationRow, id=call.path["operation_id"], project_id=call.path["project_id"])
    if found is None:
        raise Refusal(404, "operation not found")
    return {"operation": views.operation(found)}


@answers(
    "GET",
    "/projects/{project_id}/connection_uri",
    "getConnectionURI",
    says="Gives a connection string for a role and a database, pooled or direct.",
)
def connection_uri(call: Call) -> dict[str, Any]:
    """Give a connection string for a role and a database."""
    from neondba.local.api.roles import current_password, database_named, role_named

    missing = [name for name in ("database_name", "role_name") if not call.query.get(name)]
    if missing:
        raise Refusal(400, f"parameter {missing[0]} is required")
    with call.plane.state.read() as rows:
        named = call.query.get("branch_id")
        branch = call.branch(rows, named) if named else call.default_branch(rows)
        role = role_named(rows, branch.id, call.query["role_name"])
        base = database_named(rows, branch.id, call.query["database_name"])
        endpoints = rows.all(EndpointRow, branch_id=branch.id, deleting=False)
    wanted = call.query.get("endpoint_id")
    endpoint = next((row for row in endpoints if wanted in (None, row.id)), None)
    if endpoint is None:
        raise Refusal(404, "endpoint not found")
    pooled = call.query.get("pooled") == "true"
    password = current_password(call.plane, branch, role)
    return {"uri": call.plane.addresses.uri(endpoint.id, role.name, password, base.name, pooled=pooled)}


def _cursor(page: list[Any]) -> dict[str, Any]:
    return {"pagination": {"cursor": page[-1].id}} if page else {}


def _after(found: list[Any], cursor: str | None) -> list[Any]:
    names = [row.id for row in found]
    return found[names.index(cursor) + 1 :] if cursor in names else found
