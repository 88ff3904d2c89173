"""Snapshots of root branches, and the branches restored from them."""

from __future__ import annotations

import re
from typing import Any, Final

from neondba.local import ids
from neondba.local.api import past, points, views
from neondba.local.api.branches import ONE, free_name
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.names import plain_name
from neondba.local.api.space import require_space
from neondba.local.control import changes, snapshots
from neondba.local.control.worker import stamp
from neondba.local.state.snapshots import SnapshotRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, OperationRow

ALL: Final = "/projects/{project_id}/snapshots"
THIS: Final = ALL + "/{snapshot_id}"
MANUAL: Final = 100
SLUG: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@answers(
    "POST",
    ONE + "/snapshot",
    "createSnapshot",
    says="Takes a snapshot of a root branch, now or at a point of its history; at most 100 by hand.",
    differs="A directory of its own, which the history window does not touch.",
)
def create_snapshot(call: Call) -> dict[str, Any]:
    """Take a snapshot of a branch."""
    point = points.asked(call.query, call.plane.clock.now(), "lsn", "timestamp")
    name, slug = call.query.get("name") or None, call.query.get("slug") or None
    until = _until(call, call.query.get("expires_at") or None)
    with call.plane.state.read() as rows:
        timeline_id = call.branch(rows).timeline_id
    found = past.located(call, timeline_id, point)
    with call.locked() as rows:
        branch = call.branch(rows)
        require_root(rows, branch)
        _require_room(rows, branch.project_id, slug)
        require_space(call.plane, branch.timeline_id)
        wanted = plain_name("snapshot name", name) if name else None
        taken, operation = snapshots.take(
            rows,
            branch,
            call.now,
            name=wanted,
            slug=slug,
            expires_at=until,
            point=past.arguments(found),
        )
    call.made(operation)
    with call.plane.state.read() as rows:
        taken, operation = rows.get(SnapshotRow, taken.id) or taken, _current(rows, operation)
    return {"snapshot": _snapshot(taken), "operations": [views.operation(operation)]}


@answers("GET", ALL, "listSnapshots", says="Lists a project's snapshots, newest first.")
def list_snapshots(call: Call) -> dict[str, Any]:
    """List a project's snapshots."""
    with call.plane.state.read() as rows:
        call.project(rows)
        found = rows.all(SnapshotRow, project_id=call.path["project_id"])
    return {"snapshots": [_snapshot(row) for row in found[::-1]]}


@answers("PATCH", THIS, "updateSnapshot", says="Renames a snapshot, or sets when it expires.")
def update_snapshot(call: Call) -> dict[str, Any]:
    """Rename a snapshot, or set when it expires."""
    wanted = call.part("snapshot")
    with call.locked() as rows:
        found = _found(call, rows)
        if wanted.get("name") is not None:
            found.name = plain_name("snapshot name", wanted["name"])
        if "expires_at" in wanted:
            found.expires_at = _until(call, wanted["expires_at"])
    return {"snapshot": _snapshot(found)}


@answers("DELETE", THIS, "deleteSnapshot", 202, says="Deletes a snapshot.")
def delete_snapshot(call: Call) -> dict[str, Any]:
    """Delete a snapshot."""
    with call.locked() as rows:
        operation = snapshots.forget(rows, _found(call, rows), call.now)
    return {"operations": [views.operation(operation)]}


@answers(
    "POST",
    THIS + "/restore",
    "restoreSnapshot",
    says="Makes a branch of a snapshot, to look at first or, with `finalize_restore`, in the target's place: "
    "its name and endpoints go to the new branch.",
    differs="Answers when the branch is made (up to 40 s). Roles have the target's present passwords.",
)
def restore_snapshot(call: Call) -> dict[str, Any]:
    """Make a branch of a snapshot."""
    asked = call.body.get("name") or call.query.get("name") or None
    finalize = bool(call.body.get("finalize_restore"))
    with call.locked() as rows:
        found = _found(call, rows)
        target_id = call.body.get("target_branch_id") or found.source_branch_id
        if not target_id:
            raise Refusal(422, "target_branch_id is required: the snapshot's source branch is gone")
        target = call.branch(rows, str(target_id))
        require_space(call.plane, found.timeline_id)
        name = _fresh(rows, target, f"{target.name} (restored {call.now})") if asked is None else asked
        branch = _restored(call, rows, found, target, free_name(rows, target.project_id, name))
        operations = _restoring(call, rows, found, branch)
        if finalize:
            old = _fresh(rows, target, f"{target.name} (old)")
            operations += _finalizing(call, rows, branch, target, old)
    for operation in operations[: 3 if finalize else 1]:
        call.made(operation)
    with call.plane.state.read() as rows:
        branch = rows.get(BranchRow, branch.id) or branch
        endpoints = rows.all(EndpointRow, branch_id=branch.id, deleting=False)
        current = [_current(rows, row) for row in operations]
    return {
        "branch": views.branch(branch, call.plane),
        "endpoints": [views.endpoint(call.plane, row) for row in endpoints],
        "operations": [views.operation(row) for row in current],
    }


@answers(
    "POST",
    ONE + "/finalize_restore",
    "finalizeRestoreBranch",
    says="Puts a branch restored from a snapshot in its target's place, computes and name; "
    "the target becomes `name (old)`.",
)
def finalize_restore(call: Call) -> dict[str, Any]:
    """Put a restored branch in its target's place."""
    with call.locked() as rows:
        branch = call.branch(rows)
        if branch.restore_status != "restored" or branch.restored_as is None:
            raise Refusal(422, "branch has no restore to finalize")
        target = call.branch(rows, branch.restored_as)
        if name := call.body.get("name"):
            old = free_name(rows, branch.project_id, name)
        else:
            old = _fresh(rows, target, f"{target.name} (old)")
        operations = _finalizing(call, rows, branch, target, old)
    return {"operations": [views.operation(row) for row in operations]}


def require_root(rows: Rows, branch: BranchRow) -> None:
    """Refuse a branch whose data is another's: only root branches have snapshots."""
    current: BranchRow | None = branch
    while current is not None and current.parent_id is not None:
        if current.parent_id != current.preserved_as:
            raise Refusal(422, "snapshots are only supported for root branches")
        current = rows.get(BranchRow, current.parent_id)


def _require_room(rows: Rows, project_id: str, slug: str | None) -> None:
    there = rows.all(SnapshotRow, project_id=project_id)
    if len([row for row in there if row.manual]) >= MANUAL:
        raise Refusal(422, f"snapshots limit of {MANUAL} exceeded", "SNAPSHOTS_LIMIT_EXCEEDED")
    if slug is not None and not SLUG.fullmatch(slug):
        raise Refusal(400, "slug must have 1 to 63 lowercase letters, digits or hyphens")
    if slug is not None and slug in [row.slug for row in there]:
        raise Refusal(409, "snapshot with the provided slug already exists")


def _found(call: Call, rows: Rows) -> SnapshotRow:
    call.project(rows)
    found = rows.get(SnapshotRow, call.path["snapshot_id"])
    if found is None or found.project_id != call.path["project_id"]:
        raise Refusal(404, "snapshot not found")
    return found


def _until(call: Call, value: Any) -> str | None:
    if value is None:
        return None
    moment = points.read_moment("expires_at", value)
    if moment <= call.plane.clock.now():
        raise Refusal(400, "expires_at must be in the future")
    return stamp(moment)


def _fresh(rows: Rows, target: BranchRow, name: str) -> str:
    """Give a name that no branch has, this one if it is free."""
    taken = {row.name for row in rows.all(BranchRow, project_id=target.project_id, deleting=False)}
    names = [name, *(f"{name} {number}" for number in range(2, len(taken) + 3))]
    return next(each for each in names if each not in taken)


def _restored(call: Call, rows: Rows, found: SnapshotRow, target: BranchRow, name: str) -> BranchRow:
    now, branch_id = call.now, ids.branch_id()
    timeline = changes.timeline(rows, branch_id, target.project_id, now)
    branch = BranchRow(
        id=branch_id,
        timeline_id=timeline.id,
        project_id=target.project_id,
        name=name,
        restored_from=found.id,
        restored_as=target.id,
        restore_status="restored",
        cloned_by=call.plane.cloner.name,
        state_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    rows.add(branch)
    changes.copied_rows(rows, target, branch, now)
    return branch


def _restoring(call: Call, rows: Rows, found: SnapshotRow, branch: BranchRow) -> list[OperationRow]:
    now, where = call.now, {"branch_id": branch.id}
    fork = {"timeline": branch.timeline_id, "source": found.timeline_id}
    sync = "sync_dbs_and_roles_from_compute"
    return [
        changes.operation(rows, "import_data", branch.project_id, now, **where, **fork),
        changes.operation(rows, sync, branch.project_id, now, **where),
    ]


def _finalizing(call: Call, rows: Rows, branch: BranchRow, target: BranchRow, old: str) -> list[OperationRow]:
    now, where = call.now, {"branch_id": branch.id}
    swapped = {"target": target.id, "old_name": old}
    operations = [changes.operation(rows, "swap_binding_id", branch.project_id, now, **where, **swapped)]
    for endpoint in rows.all(EndpointRow, branch_id=target.id, type="read_write", disabled=False):
        started = {**where, "endpoint_id": endpoint.id}
        operations.append(changes.operation(rows, "start_compute", branch.project_id, now, **started))
    return operations


def _current(rows: Rows, row: OperationRow) -> OperationRow:
    return rows.get(OperationRow, row.number) or row


def _snapshot(row: SnapshotRow) -> dict[str, Any]:
    shown = row.model_dump(exclude={"project_id", "timeline_id"})
    return {name: value for name, value in shown.items() if value is not None}
