"""Branches."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC
from typing import Any, Final

from neondba.local import ids
from neondba.local.api import past, points, views
from neondba.local.api.call import Call, Refusal, answers, checked_sizes
from neondba.local.api.names import expiry, plain_name
from neondba.local.api.space import require_space
from neondba.local.control import changes
from neondba.local.control.worker import stamp
from neondba.local.requirement import PYTHON
from neondba.local.state.masking import MaskingRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow
from neondba.local.storage.history import Located

ALL = "/projects/{project_id}/branches"
ONE = ALL + "/{branch_id}"
SORTED_BY: Final = ("updated_at", "name", "created_at")


@answers(
    "GET",
    ALL,
    "listProjectBranches",
    says="Lists branches with search, order and pages; deleted ones too with `include_deleted`.",
)
def list_branches(call: Call) -> dict[str, Any]:
    """List a project's branches, the last changed first unless told otherwise."""
    limit, cursor = call.number("limit", 10_000, 10_000), call.query.get("cursor")
    by, order = _choice(call, "sort_by", SORTED_BY), _choice(call, "sort_order", ("desc", "asc"))
    found = _found(call, deleted=str(call.query.get("include_deleted")).lower() == "true")
    # The further keys make the order whole: a page never misses what another one has.
    keys = [([getattr(row, by), row.created_at, row.id], row) for row in found]
    keys.sort(key=lambda each: each[0], reverse=order == "desc")
    if cursor:
        last = _read_cursor(cursor)
        keys = [each for each in keys if (each[0] < last if order == "desc" else each[0] > last)]
    page = [row for _, row in keys[:limit]]
    pages: dict[str, Any] = {"sort_by": by, "sort_order": order}
    if limit < len(keys):
        pages["next"] = urlsafe_b64encode(json.dumps(keys[limit - 1][0]).encode()).decode()
    shown = [views.branch(row, call.plane) for row in page]
    with call.plane.state.read() as rows:
        marks = {row.id: _annotation(rows, row.id) for row in page if rows.get(MaskingRow, row.id)}
    return {"branches": shown, "annotations": marks, "pagination": pages}


def _annotation(rows: Rows, branch_id: str) -> dict[str, Any]:
    value = {"anonymized": "true"} if rows.get(MaskingRow, branch_id) else {}
    return {"object": {"type": "console/branch", "id": branch_id}, "value": value}


@answers("GET", ALL + "/count", "countProjectBranches", says="Counts branches, with search.")
def count_branches(call: Call) -> dict[str, Any]:
    """Count a project's branches."""
    return {"count": len(_found(call, deleted=False))}


def _choice(call: Call, name: str, known: tuple[str, ...]) -> str:
    value = str(call.query.get(name) or known[0])
    if value not in known:
        raise Refusal(400, f"parameter {name} must be one of {', '.join(known)}")
    return value


def _read_cursor(cursor: str) -> list[str]:
    try:
        last = json.loads(urlsafe_b64decode(cursor))
    except ValueError:
        raise Refusal(400, "invalid cursor") from None
    if not isinstance(last, list) or [type(each) for each in last] != [str] * 3:
        raise Refusal(400, "invalid cursor")
    return last


def _found(call: Call, *, deleted: bool) -> list[BranchRow]:
    with call.plane.state.read() as rows:
        call.project(rows)
        found = rows.all(BranchRow, project_id=call.path["project_id"])
    found = [row for row in found if not row.deleting or (deleted and row.deleted_at)]
    search = str(call.query.get("search") or "").lower()
    return [row for row in found if search in row.id or search in row.name.lower()]


@answers(
    "POST",
    ALL,
    "createProjectBranch",
    201,
    says="Creates a branch from its parent as it is now, or was at `parent_lsn` or `parent_timestamp`, "
    "exactly to the commit; expiring if asked to.",
    differs="Answers when that moment is fixed (up to 40 s), since the data is cloned, not shared. "
    "`cloned_by` (ours) says how: ficlone or copy. A disk too small answers 507.",
)
def create_branch(call: Call) -> dict[str, Any]:
    """Create a branch with its parent's data, or with its schema only."""
    from neondba.local.api import schema_only

    kind = call.part("branch").get("init_source") or "parent-data"
    if kind == schema_only.SCHEMA_ONLY:
        return schema_only.create(call)
    if kind != "parent-data":
        raise Refusal(400, "init_source must be parent-data or schema-only")
    return with_data(call)


def with_data(
    call: Call, also: Callable[[Rows, BranchRow], list[OperationRow]] | None = None
) -> dict[str, Any]:
    """Create a branch from its parent; `also` adds what is wanted beyond that."""
    wanted, endpoints = call.part("branch"), call.body.get("endpoints") or []
    _only_what_we_can(wanted, endpoints)
    until, life = expiry(wanted.get("expires_at"), call.plane.clock.now())
    found, moment = _point(call, wanted)
    now = call.now
    with call.locked() as rows:
        parent = _parent(call, rows, wanted.get("parent_id"))
        branch_id = ids.branch_id()
        timeline = changes.timeline(rows, branch_id, parent.project_id, now, parent.timeline_id)
        branch = BranchRow(
            id=branch_id,
            timeline_id=timeline.id,
            project_id=parent.project_id,
            name=free_name(rows, parent.project_id, wanted.get("name") or branch_id),
            parent_id=parent.id,
            parent_lsn=found.fork.lsn if found else None,
            parent_timestamp=moment or now,
            protected=bool(wanted.get("protected", False)),
            state_changed_at=now,
            created_at=now,
            updated_at=now,
            expires_at=until,
            ttl_interval_seconds=life,
        )
        require_space(call.plane, parent.timeline_id)
        rows.add(branch)
        where = {"branch_id": branch.id}
        operations = _operations(rows, parent, branch, found) + _started(rows, branch, endpoints)
        if wanted.get("archived") and not endpoints:
            operations.append(changes.operation(rows, "timeline_archive", parent.project_id, now, **where))
        operations += also(rows, branch) if also else []
    call.made(operations[0])
    return views.created(call.plane, branch.id, operations, passwords=False)


def _started(rows: Rows, branch: BranchRow, endpoints: list[dict[str, Any]]) -> list[OperationRow]:
    now, operations = branch.created_at, []
    for options in endpoints:
        where = {"branch_id": branch.id, "endpoint_id": changes.endpoint(rows, branch, now, options).id}
        operations.append(changes.operation(rows, "start_compute", branch.project_id, now, **where))
    return operations


@answers("GET", ONE, "getProjectBranch", says="Shows a branch.", differs="Has one field more: `cloned_by`.")
def get_branch(call: Call) -> dict[str, Any]:
    """Show a branch."""
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
        annotation = _annotation(rows, branch.id)
    return {"branch": views.branch(branch, call.plane), "annotation": annotation}


@answers("PATCH", ONE, "updateProjectBranch", says="Renames, protects, or sets when a branch expires.")
def update_branch(call: Call) -> dict[str, Any]:
    """Rename or protect a branch, or change when it expires."""
    wanted = call.part("branch")
    with call.locked() as rows:
        branch = call.branch(rows)
        if "name" in wanted and wanted["name"] != branch.name:
            branch.name = free_name(rows, branch.project_id, wanted["name"])
        branch.protected = bool(wanted.get("protected", branch.protected))
        if "expires_at" in wanted:
            until, life = expiry(wanted["expires_at"], call.plane.clock.now())
            if until and (branch.is_default or rows.all(BranchRow, parent_id=branch.id, deleting=False)):
                raise Refusal(422, "a default branch or one with children cannot expire")
            branch.expires_at, branch.ttl_interval_seconds = until, life
        if branch.expires_at and branch.protected:
            raise Refusal(422, "a protected branch cannot expire")
        branch.updated_at = call.now
        return {"branch": views.branch(branch, call.plane), "operations": []}


@answers(
    "DELETE",
    ONE,
    "deleteProjectBranch",
    says="Deletes a branch; it can be recovered for 7 days unless `hard_delete` is set. "
    "A missing one answers 204.",
    differs="A branch that expires is gone at once: such branches are many and short-lived, and each is "
    "a directory on this disk. So is a deleted branch when its room is needed for another.",
)
def delete_branch(call: Call) -> dict[str, Any] | None:
    """Delete a branch; one that is not there is gone already: 204."""
    with call.locked() as rows:
        branch = rows.get(BranchRow, call.path["branch_id"])
        if branch is None or branch.deleting or branch.project_id != call.path["project_id"]:
            return None
        _require_deletable(rows, branch)
        hard = str(call.query.get("hard_delete")).lower() == "true" or branch.expires_at is not None
        operations = changes.delete_branch(rows, branch, call.now, hard=hard)
        return {
            "branch": views.branch(branch, call.plane),
            "operations": [views.operation(row) for row in operations],
        }


def _require_deletable(rows: Rows, branch: BranchRow) -> None:
    if branch.is_default:
        raise Refusal(422, "cannot delete the default branch")
    roots = rows.all(BranchRow, project_id=branch.project_id, parent_id=None, deleting=False)
    heirs = rows.all(BranchRow, preserved_as=branch.id, deleting=False)
    if branch.parent_id is None and len(roots) == 1 and not heirs:
        raise Refusal(422, "cannot delete root branch")
    if branch.protected:
        raise Refusal(422, "cannot delete a protected branch")
    if changes.children(rows, branch):
        raise Refusal(422, "cannot delete branch that has children")


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
    says="Does the same as `setDefaultProjectBranch`, by its old name.",
    source=PYTHON,
)
def set_primary(call: Call) -> dict[str, Any]:
    """Answer the old name of `set_as_default`, which neon-api for Python still uses."""
    return set_default(call)


def _operations(
    rows: Rows, parent: BranchRow, branch: BranchRow, found: Located | None
) -> list[OperationRow]:
    """Write down that a branch is to be made, and that its roles and databases are those of then."""
    project_id, now, where = branch.project_id, branch.created_at, {"branch_id": branch.id}
    point = past.arguments(found)
    made = changes.operation(rows, "create_branch", project_id, now, **where, **point)
    operations = [made, *changes.contents(rows, parent, branch, now)]
    if found is not None:
        sync = "sync_dbs_and_roles_from_compute"
        operations.append(changes.operation(rows, sync, project_id, now, **where))
    return operations


def _point(call: Call, wanted: dict[str, Any]) -> tuple[Located | None, str | None]:
    """Find the point of the parent that is asked for, and its moment as the API shows it."""
    point = points.asked(wanted, call.plane.clock.now(), "parent_lsn", "parent_timestamp")
    if point.now:
        return None, None
    with call.plane.state.read() as rows:
        timeline_id = _parent(call, rows, wanted.get("parent_id")).timeline_id
    found = past.located(call, timeline_id, point)
    moment = point.timestamp or (found.fork.at if found is not None else None)
    return found, stamp(moment.astimezone(UTC)) if moment else None


def _only_what_we_can(wanted: dict[str, Any], endpoints: list[Any]) -> None:
    if wanted.get("protected") and wanted.get("expires_at"):
        raise Refusal(422, "a protected branch cannot expire")
    if not isinstance(endpoints, list) or any(not isinstance(options, dict) for options in endpoints):
        raise Refusal(400, "endpoints must be a list of objects")
    for options in endpoints:
        checked_sizes(options)
    kinds = [options.get("type", "read_write") for options in endpoints]
    if kinds.count("read_write") > 1:
        raise Refusal(400, "a branch has one read_write endpoint")


def _parent(call: Call, rows: Rows, parent_id: str | None) -> BranchRow:
    parent = call.branch(rows, parent_id) if parent_id else call.default_branch(rows)
    if parent.expires_at:
        raise Refusal(422, "a branch that expires cannot have children")
    return parent


def free_name(rows: Rows, project_id: str, name: Any) -> str:
    """Accept a branch's name that no other branch of the project has."""
    checked = plain_name("branch name", name)
    if rows.all(BranchRow, project_id=project_id, name=checked, deleting=False):
        raise Refusal(409, "branch with the provided name already exists", "BRANCH_ALREADY_EXISTS")
    return checked
