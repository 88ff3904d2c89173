"""Snapshots as rows: what is promised, and the operations that keep it."""

from __future__ import annotations

from typing import Any

from neondba.local import ids
from neondba.local.control import changes
from neondba.local.state.snapshots import SnapshotRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow


def take(
    rows: Rows,
    branch: BranchRow,
    now: str,
    *,
    name: str | None = None,
    slug: str | None = None,
    expires_at: str | None = None,
    scheduled: str | None = None,
    point: dict[str, Any] | None = None,
) -> tuple[SnapshotRow, OperationRow]:
    """Promise a snapshot of a branch, by hand or for an entry of its schedule."""
    made = ids.snapshot_id()
    changes.timeline(rows, made, branch.project_id, now)
    kind = scheduled or "snapshot"
    row = SnapshotRow(
        id=made,
        project_id=branch.project_id,
        timeline_id=made,
        source_branch_id=branch.id,
        name=name or f"{branch.name} {kind} {now}",
        slug=slug or made,
        manual=scheduled is None,
        created_at=now,
        expires_at=expires_at,
    )
    rows.add(row)
    arguments = {"timeline": made, "source": branch.timeline_id, **(point or {})}
    action, where = "timeline_mark_invisible", {"branch_id": branch.id}
    return row, changes.operation(rows, action, branch.project_id, now, **where, **arguments)


def forget(rows: Rows, row: SnapshotRow, now: str) -> OperationRow:
    """Forget a snapshot and write down that its directory is to go."""
    rows.delete(row)
    return changes.operation(rows, "delete_timeline", row.project_id, now, timelines=[row.timeline_id])
