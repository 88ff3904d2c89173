"""Restore a branch: from its parent, from another branch, or from its own past."""

from __future__ import annotations

from typing import Any

from neondba.local import ids
from neondba.local.api import past, points, views
from neondba.local.api.branches import ONE, free_name
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.space import require_space
from neondba.local.control import changes
from neondba.local.state.masking import MaskingRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, OperationRow
from neondba.local.storage.history import Located
from neondba.local.storage.point import Point


@answers(
    "POST",
    ONE + "/restore",
    "restoreProjectBranch",
    says="Puts another branch's data, or the branch's own past, in a branch's place: reset from parent too. "
    "Endpoints and ids stay, connections are dropped, `preserve_under_name` keeps what was there.",
    differs="Answers when it is done (up to 40 s). Roles of the past have their present passwords.",
)
def restore_branch(call: Call) -> dict[str, Any]:
    """Put other data in a branch's place."""
    point = points.asked(call.body, call.plane.clock.now(), "source_lsn", "source_timestamp")
    keep = call.body.get("preserve_under_name") or None
    with call.plane.state.read() as rows:
        timeline_id = _source(call, rows, call.branch(rows), point, keep).timeline_id
    found = past.located(call, timeline_id, point)
    with call.locked() as rows:
        branch = call.branch(rows)
        source = _source(call, rows, branch, point, keep)
        kept = free_name(rows, branch.project_id, keep) if keep else None
        require_space(call.plane, source.timeline_id)
        operations = _operations(call, rows, branch, source, found, kept)
        branch.state, branch.state_changed_at, branch.updated_at = "resetting", call.now, call.now
    call.made(operations[0])
    call.made(operations[1])
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
        current = [rows.get(OperationRow, row.number) or row for row in operations]
    return {
        "branch": views.branch(branch, call.plane),
        "operations": [views.operation(row) for row in current],
    }


def _source(call: Call, rows: Rows, branch: BranchRow, point: Point, keep: str | None) -> BranchRow:
    """Give the branch whose data is wanted, if it may be had."""
    wanted = call.body.get("source_branch_id")
    if not isinstance(wanted, str) or not wanted:
        raise Refusal(400, "source_branch_id is required")
    if branch.protected:
        raise Refusal(422, "cannot restore a protected branch")
    if rows.get(MaskingRow, branch.id):
        raise Refusal(422, "cannot restore an anonymized branch: it would hold rows that are not masked")
    source = call.branch(rows, wanted)
    if source.id == branch.id and point.now:
        raise Refusal(400, "source_timestamp or source_lsn is required to restore a branch to its own past")
    if source.id == branch.id and not keep:
        raise Refusal(400, "preserve_under_name is required to restore a branch to its own past")
    if not keep and rows.all(BranchRow, parent_id=branch.id, deleting=False):
        raise Refusal(422, "preserve_under_name is required to restore a branch that has children")
    if source.id != branch.id and source.expires_at:
        raise Refusal(422, "a branch that expires cannot have children")
    return source


def _operations(
    call: Call, rows: Rows, branch: BranchRow, source: BranchRow, found: Located | None, keep: str | None
) -> list[OperationRow]:
    now, where = call.now, {"branch_id": branch.id}
    made = changes.timeline(rows, ids.timeline_id(), branch.project_id, now, source.timeline_id)
    fork = {"timeline": made.id, "source": source.timeline_id, **past.arguments(found)}
    swapped: dict[str, Any] = {
        "timeline": made.id,
        "old": branch.timeline_id,
        "source_branch": source.id,
        "preserve": keep,
        "preserved_id": ids.branch_id() if keep else None,
        "expires_at": points.later(call.plane.clock.now(), branch.ttl_interval_seconds),
    }
    operations = [
        changes.operation(rows, "import_data", branch.project_id, now, **where, **fork),
        changes.operation(rows, "swap_binding_id", branch.project_id, now, **where, **swapped),
    ]
    if source.protected or found is not None:
        action = "sync_dbs_and_roles_from_compute"
        operations.append(changes.operation(rows, action, branch.project_id, now, **where))
    for each in rows.all(EndpointRow, branch_id=branch.id, type="read_write", disabled=False):
        started = {**where, "endpoint_id": each.id}
        operations.append(changes.operation(rows, "start_compute", branch.project_id, now, **started))
    return operations
