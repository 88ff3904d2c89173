"""Branches."""

from __future__ import annotations

from typing import Any

from neondba.local import ids
from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers, checked_sizes
from neondba.local.api.names import expiry, plain_name
from neondba.local.api.space import require_space
from neondba.local.control import changes
from neondba.local.requirement import PYTHON
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow

ALL = "/projects/{project_id}/branches"
ONE = ALL + "/{branch_id}"


@answers("GET", ALL, "listProjectBranches", says="Lists branches with `annotations` and pages.")
def list_branches(call: Call) -> dict[str, Any]:
    """List a project's branches, newest first."""
    limit = call.number("limit", 10_000, 10_000)
    with call.plane.state.read() as rows:
        call.project(rows)
        found = rows.all(BranchRow, project_id=call.path["project_id"], deleting=False)[::-1]
    if search := call.query.get("search"):
        found = [row for row in found if search in (row.id, row.name) or search.lower() in row.name.lower()]
    names = [row.id for row in found]
    if (cursor := call.query.get("cursor")) in names:
        found = found[names.index(cursor) + 1 :]
    pages: dict[str, Any] = {"sort_by": "updated_at", "sort_order": "desc"}
    if len(found) > limit:
        pages["next"] = found[limit - 1].id
    return {"branches": [views.branch(row, call.plane) for row in found[:limit]], "annotations": {}, "pagination": pages}


@answers("GET", ALL + "/count", "countProjectBranches", says="Counts branches.")
def count_branches(call: Call) -> dict[str, Any]:
    """Count a project's branches."""
    return {"count": len(list_branches(call)["branches"])}


@answers(
    "POST",
    ALL,
    "createProjectBranch",
    201,
    says="Creates a branch from its parent's present moment, expiring if asked to.",
    differs="Answers when that moment is fixed (up to 40 s), since the data is cloned, not shared. "
    "`cloned_by` (ours) says how: ficlone or copy. A disk too small answers 507.",
)
def create_branch(call: Call) -> dict[str, Any]:
    """Create a branch from its parent as it is now."""
    wanted, endpoints = call.part("branch"), call.body.get("endpoints") or []
    _only_what_we_can(wanted, endpoints)
    until, life = expiry(wanted.get("expires_at"), call.plane.clock.now())
    now = call.now
    with call.locked() as rows:
        parent = _parent(call, rows, wanted.get("parent_id"))
        branch_id = ids.branch_id()
        timeline = changes.timeline(rows, branch_id, parent.project_id, now, parent.timeline_id)
        branch = BranchRow(
            id=branch_id,
            timeline_id=timeline.id,
            project_id=parent.project_id,
            name=_free_name(rows, parent.project_id, wanted.get("name") or branch_id),
            parent_id=parent.id,
            parent_timestamp=now,
            protected=bool(wanted.get("protected", False)),
            state_changed_at=now,
            created_at=now,
            updated_at=now,
            expires_at=until,
            ttl_interval_seconds=life,
        )
        require_space(call.plane, parent.timeline_id)
        rows.add(branch)
        changes.copied_rows(rows, parent, branch, now)
        where = {"branch_id": branch.id}
        operations = [changes.operation(rows, "create_branch", parent.project_id, now, **where)]
        for options in endpoints:
            made = changes.endpoint(rows, branch, now, options)
            where["endpoint_id"] = made.id
            operations.append(changes.operation(rows, "start_compute", parent.project_id, now, **where))
    call.made(operations[0])
    return views.created(call.plane, branch.id, operations, passwords=False)


@answers("GET", ONE, "getProjectBranch", says="Shows a branch.", differs="Has one field more: `cloned_by`.")
def get_branch(call: Call) -> dict[str, Any]:
    """Show a branch."""
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
    named = {"type": "console/branch", "id": branch.id}
    return {"branch": views.branch(branch, call.plane), "annotation": {"object": named, "value": {}}}


@answers("PATCH", ONE, "updateProjectBranch", says="Renames, protects, or sets when a branch expires.")
def update_branch(call: Call) -> dict[str, Any]:
    """Rename or protect a branch, or change when it expires."""
    wanted = call.part("branch")
    with call.locked() as rows:
        branch = call.branch(rows)
        if "name" in wanted and wanted["name"] != branch.name:
            branch.name = _free_name(rows, branch.project_id, wanted["name"])
        branch.protected = bool(wanted.get("protected", branch.protected))
        if "expires_at" in wanted:
            until, life = expiry(wanted["expires_at"], call.plane.clock.now())
            if until and (branch.is_default or rows.all(BranchRow, parent_id=branch.id, deleting=False)):
                raise Refusal(422, "a default branch or one with children cannot expire")
            branch.expires_at, branch.ttl_interval_seconds = until, life
        if branch.expires_at and branch.protected:
            raise Refusal(422, "a protected branch cannot expire")
        branch.updated_at = call.now
        return {"branch": views.branch(branch), "operations": []}


@answers(
    "DELETE",
    ONE,
    "deleteProjectBranch",
    says="Deletes a branch; a missing one answers 204.",
    differs="At once; no recovery.",
)
def delete_branch(call: Call) -> dict[str, Any] | None:
    """Delete a branch; one that is not there is gone already: 204."""
    with call.locked() as rows:
        branch = rows.get(BranchRow, call.path["branch_id"])
        if branch is None or branch.deleting or branch.project_id != call.path["project_id"]:
            return None
        if branch.is_default:
            raise Refusal(422, "cannot delete the default branch")
        if branch.parent_id is None:
            raise Refusal(422, "cannot delete root branch")
        if branch.protected:
            raise Refusal(422, "cannot delete a protected branch")
        if rows.all(BranchRow, parent_id=branch.id, deleting=False):
            raise Refusal(422, "cannot delete branch that has children")
        operations = changes.delete_branch(rows, branch, call.now)
        return {"branch": views.branch(branch), "operations": [views.operation(row) for row in operations]}


@answers("POST", ONE + "/set_as_default", "setDefaultProjectBranch", says="Makes a branch the default.")
def set_default(call: Call) -> dict[str, Any]:
    """Make a branch the project's default."""
    with call.locked() as rows:
        branch = call.branch(rows)
        if branch.expires_at:
            raise Refusal(422, "a branch that expires cannot be the default branch")
        for other in rows.all(BranchRow, project_id=branch.project_id):
            other.is_default = other.id == branch.id
        branch.updated_at = call.now
        return {"branch": views.branch(branch), "operations": []}


@answers(
    "POST",
    ONE + "/set_as_primary",
    "setPrimaryProjectBranch",
    says="Answers the old name of the same.",
    source=PYTHON,
)
def set_primary(call: Call) -> dict[str, Any]:
    """Answer the old name of `set_as_default`, which neon-api for Python still uses."""
    return set_default(call)


def _only_what_we_can(wanted: dict[str, Any], endpoints: list[Any]) -> None:
    if not isinstance(endpoints, list) or any(not isinstance(options, dict) for options in endpoints):
        raise Refusal(400, "endpoints must be a list of objects")
    for options in endpoints:
        checked_sizes(options)
    for name in ("parent_lsn", "parent_timestamp"):
        if wanted.get(name):
            raise Refusal(501, f"{name} is not available in the local Neon yet: it branches from now")
    if wanted.get("init_source", "parent-data") != "parent-data":
        raise Refusal(501, "schema-only branches are not available in the local Neon yet")
    kinds = [options.get("type", "read_write") for options in endpoints]
    if "read_only" in kinds:
        raise Refusal(501, "read replicas are not available in the local Neon yet")
    if len(kinds) > 1:
        raise Refusal(400, "a branch has one read_write endpoint")


def _parent(call: Call, rows: Rows, parent_id: str | None) -> BranchRow:
    if parent_id:
        parent = call.branch(rows, parent_id)
    else:
        found = rows.all(BranchRow, project_id=call.path["project_id"], deleting=False)
        parent = next(row for row in found if row.is_default)
    if parent.expires_at:
        raise Refusal(422, "a branch that expires cannot have children")
    return parent


def _free_name(rows: Rows, project_id: str, name: Any) -> str:
    checked = plain_name("branch name", name)
    if rows.all(BranchRow, project_id=project_id, name=checked, deleting=False):
        raise Refusal(409, "branch with the provided name already exists", "BRANCH_ALREADY_EXISTS")
    return checked
