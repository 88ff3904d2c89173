"""Roles and databases of a branch."""

from __future__ import annotations

from typing import Any, Final

from neondba.local import ids
from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.names import BASES, identifier
from neondba.local.control import catalog, changes
from neondba.local.control.plane import Plane
from neondba.local.control.roles import SEALED, is_current, verifier_of
from neondba.local.requirement import PYTHON
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, DatabaseRow, OperationRow, ProjectRow, RoleRow

BRANCH = "/projects/{project_id}/branches/{branch_id}"
ROLES, ROLE = BRANCH + "/roles", BRANCH + "/roles/{role_name}"
BASES_PATH, BASE = BRANCH + "/databases", BRANCH + "/databases/{database_name}"
MOST: Final = 500
"""Roles, and databases, of one branch."""


@answers(
    "GET",
    ROLES,
    "listProjectBranchRoles",
    says="Lists roles, those made by SQL too.",
    differs="Those made by SQL are found while the compute is awake; asleep, the list is the last known.",
)
def list_roles(call: Call) -> dict[str, Any]:
    """List a branch's roles."""
    branch = _current(call)
    with call.plane.state.read() as rows:
        found = rows.all(RoleRow, branch_id=branch.id)
    return {"roles": [views.role(row) for row in found]}


@answers(
    "POST",
    ROLES,
    "createProjectBranchRole",
    201,
    says="Creates a role in neon_superuser that carries BYPASSRLS itself; at most 500 on a branch.",
)
def create_role(call: Call) -> dict[str, Any]:
    """Create a role; this answer shows its password."""
    wanted = call.part("role")
    name = identifier("role name", wanted.get("name"))
    _current(call)
    with call.locked() as rows:
        branch = call.branch(rows)
        known = rows.all(RoleRow, branch_id=branch.id)
        if any(row.name == name for row in known):
            raise Refusal(409, "role already exists", "ROLE_ALREADY_EXISTS")
        if len(known) >= MOST:
            raise Refusal(422, f"roles limit exceeded: a branch has at most {MOST}", "ROLES_LIMIT_EXCEEDED")
        made = changes.role(rows, branch.id, name, call.now, no_login=bool(wanted.get("no_login", False)))
        return _shown_once(call, rows, made, _apply(call, rows, new_roles=[name]))


@answers("GET", ROLE, "getProjectBranchRole", says="Shows a role.")
def get_role(call: Call) -> dict[str, Any]:
    """Show a role."""
    _current(call)
    with call.plane.state.read() as rows:
        return {"role": views.role(role_named(rows, call.branch(rows).id, call.path["role_name"]))}


@answers(
    "DELETE", ROLE, "deleteProjectBranchRole", says="Deletes a role; its things go to each database's owner."
)
def delete_role(call: Call) -> dict[str, Any] | None:
    """Delete a role; what it owned goes to each database's owner."""
    _current(call)
    with call.locked() as rows:
        branch, name = call.branch(rows), call.path["role_name"]
        found = rows.first(RoleRow, branch_id=branch.id, name=name)
        if found is None:
            return None
        if rows.all(DatabaseRow, branch_id=branch.id, owner_name=name):
            raise Refusal(422, f"role {name} owns a database")
        return _role(found, [_apply(call, rows, drop_roles=[name])])


@answers(
    "GET",
    ROLE + "/reveal_password",
    "getProjectBranchRolePassword",
    says="Shows a role's password; 412 where the project stores none.",
    differs="A password set by SQL works, and is not known here: 412 while the compute is awake.",
)
def reveal_password(call: Call) -> dict[str, Any]:
    """Show the password the API gave a role last."""
    branch = _current(call)
    with call.plane.state.read() as rows:
        found = role_named(rows, branch.id, call.path["role_name"])
    return {"password": current_password(call.plane, branch, found)}


@answers(
    "POST",
    ROLE + "/reveal_password",
    "getProjectBranchRolePasswordByPost",
    says="Does the same as `getProjectBranchRolePassword`, by POST.",
    source=PYTHON,
)
def reveal_password_by_post(call: Call) -> dict[str, Any]:
    """Answer the method that neon-api for Python uses for the same."""
    return reveal_password(call)


@answers(
    "POST",
    ROLE + "/reset_password",
    "resetProjectBranchRolePassword",
    says="Gives a new password and drops the role's connections.",
)
def reset_password(call: Call) -> dict[str, Any]:
    """Give a role a new password and drop its connections."""
    _current(call)
    with call.locked() as rows:
        found = role_named(rows, call.branch(rows).id, call.path["role_name"])
        found.password, found.updated_at = ids.password(), call.now
        done = _apply(call, rows, passwords=[found.name], disconnect=[found.name])
        return _shown_once(call, rows, found, done)


@answers(
    "GET",
    BASES_PATH,
    "listProjectBranchDatabases",
    says="Lists databases, those made by SQL too.",
    differs="Those made by SQL are found while the compute is awake; asleep, the list is the last known.",
)
def list_databases(call: Call) -> dict[str, Any]:
    """List a branch's databases."""
    branch = _current(call)
    with call.plane.state.read() as rows:
        found = rows.all(DatabaseRow, branch_id=branch.id)
    return {"databases": [views.database(row) for row in found]}


@answers(
    "POST",
    BASES_PATH,
    "createProjectBranchDatabase",
    201,
    says="Creates a database whose owner owns the public schema; at most 500 on a branch.",
)
def create_database(call: Call) -> dict[str, Any]:
    """Create a database."""
    wanted = call.part("database")
    name = identifier("database name", wanted.get("name"), BASES)
    _current(call)
    with call.locked() as rows:
        branch = call.branch(rows)
        _free(rows, branch.id, name)
        if len(rows.all(DatabaseRow, branch_id=branch.id)) >= MOST:
            limit = f"databases limit exceeded: a branch has at most {MOST}"
            raise Refusal(422, limit, "DATABASES_LIMIT_EXCEEDED")
        owner = role_named(rows, branch.id, str(wanted.get("owner_name") or "")).name
        made = changes.database(rows, branch.id, name, owner, call.now)
        return _database(made, [_apply(call, rows, databases=[name])])


@answers("GET", BASE, "getProjectBranchDatabase", says="Shows a database.")
def get_database(call: Call) -> dict[str, Any]:
    """Show a database."""
    _current(call)
    with call.plane.state.read() as rows:
        found = database_named(rows, call.branch(rows).id, call.path["database_name"])
        return {"database": views.database(found)}


@answers(
    "PATCH",
    BASE,
    "updateProjectBranchDatabase",
    says="Gives a database another name or owner; a new name drops its connections.",
)
def update_database(call: Call) -> dict[str, Any]:
    """Give a database another name or owner."""
    wanted = call.part("database")
    _current(call)
    with call.locked() as rows:
        found = database_named(rows, call.branch(rows).id, call.path["database_name"])
        old, new = found.name, wanted.get("name") or found.name
        change: dict[str, Any] = {}
        if new != old:
            _free(rows, found.branch_id, identifier("database name", new, BASES))
            found.name, change["rename_databases"] = new, [[old, new]]
        if owner := wanted.get("owner_name"):
            before, found.owner_name = found.owner_name, role_named(rows, found.branch_id, owner).name
            change |= {"owners": [new], "former_owners": {new: before}}
        found.updated_at = call.now
        return _database(found, [_apply(call, rows, **change)])


@answers("DELETE", BASE, "deleteProjectBranchDatabase", says="Deletes a database and drops its connections.")
def delete_database(call: Call) -> dict[str, Any] | None:
    """Delete a database and drop its connections."""
    _current(call)
    with call.locked() as rows:
        branch, name = call.branch(rows), call.path["database_name"]
        found = rows.first(DatabaseRow, branch_id=branch.id, name=name)
        if found is None:
            return None
        return _database(found, [_apply(call, rows, drop_databases=[name])])


def role_named(rows: Rows, branch_id: str, name: str) -> RoleRow:
    """Give a branch's role."""
    found = rows.first(RoleRow, branch_id=branch_id, name=name)
    if found is None:
        raise Refusal(404, "role not found")
    return found


def database_named(rows: Rows, branch_id: str, name: str) -> DatabaseRow:
    """Give a branch's database."""
    found = rows.first(DatabaseRow, branch_id=branch_id, name=name)
    if found is None:
        raise Refusal(404, "database not found")
    return found


def known_password(row: RoleRow) -> str:
    """Give a role's password, if it is known here."""
    if row.password.startswith(SEALED):
        raise Refusal(412, "Storing passwords is disabled")
    if not row.password:
        raise Refusal(412, f"the password of role {row.name} is not known: it was made by SQL; reset it")
    return row.password


def current_password(plane: Plane, branch: BranchRow, row: RoleRow) -> str:
    """Give a role's password, if it is known here and SQL has not set another."""
    password, compute = known_password(row), plane.computes.running(branch.timeline_id)
    busy = compute is None or row.no_login or not plane.worker.wait(0, branch_id=branch.id)
    if compute is not None and not busy and not is_current(compute, row.name, password):
        raise Refusal(412, f"the password of role {row.name} was changed by SQL and is not known; reset it")
    return password


def seal_passwords(project: ProjectRow, *found: RoleRow) -> None:
    """Keep only verifiers where the project stores no passwords."""
    if not project.store_passwords:
        for row in found:
            row.password = verifier_of(row.password)


def _current(call: Call) -> BranchRow:
    """Give the branch of the path, its roles and databases as they are in its compute."""
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
    catalog.sync(call.plane, branch)
    return branch


def _free(rows: Rows, branch_id: str, name: str) -> None:
    if rows.all(DatabaseRow, branch_id=branch_id, name=name):
        raise Refusal(409, "database already exists", "DATABASE_ALREADY_EXISTS")


def _shown_once(call: Call, rows: Rows, made: RoleRow, operation: OperationRow) -> dict[str, Any]:
    """Show a role with its new password, which some projects do not keep."""
    shown = _role(made, [operation], password=True)
    seal_passwords(call.project(rows), made)
    return shown


def _apply(call: Call, rows: Rows, **arguments: Any) -> OperationRow:
    project_id, branch_id = call.path["project_id"], call.path["branch_id"]
    return changes.operation(rows, "apply_config", project_id, call.now, branch_id=branch_id, **arguments)


def _role(row: RoleRow, operations: list[OperationRow], *, password: bool = False) -> dict[str, Any]:
    return {
        "role": views.role(row, password=password),
        "operations": [views.operation(each) for each in operations],
    }


def _database(row: DatabaseRow, operations: list[OperationRow]) -> dict[str, Any]:
    return {
        "database": views.database(row),
        "operations": [views.operation(each) for each in operations],
    }
