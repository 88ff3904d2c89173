"""Take snapshots; archive branches and wake them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neondba.local.control import timelines
from neondba.local.control.actions import performs, undoes
from neondba.local.control.worker import stamp
from neondba.local.state.snapshots import SnapshotRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow, TimelineRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


@performs("timeline_mark_invisible")
def take(plane: Plane, _operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Make a snapshot's directory and note what it holds."""
    timelines.fill(plane, arguments)
    name = arguments["timeline"]
    data = plane.branches.data(name)
    full = sum(file.stat().st_size for part in ("base", "global") for file in (data / part).rglob("*"))
    with plane.state.change() as rows:
        row, made = rows.get(SnapshotRow, name), rows.get(TimelineRow, name)
        if row is None or made is None:
            return
        row.lsn, row.timestamp = made.fork_lsn, made.forked_at
        before = None if row.manual else _before(rows, row)
        row.full_size = full if before is None else None
        row.diff_size = None if before is None else min(full, _distance(before.lsn, row.lsn))


def _before(rows: Rows, row: SnapshotRow) -> SnapshotRow | None:
    """Give the scheduled snapshot before this one."""
    found = rows.all(SnapshotRow, source_branch_id=row.source_branch_id, manual=False)
    earlier = [each for each in found if each.created_at <= row.created_at and each.id != row.id]
    return earlier[-1] if earlier else None


def _distance(before: str | None, after: str | None) -> int:
    """Give the bytes of write-ahead log between two places."""
    if before is None or after is None:
        return 0
    places = [each.partition("/") for each in (before, after)]
    first, last = ((int(high, 16) << 32) + int(low, 16) for high, _, low in places)
    return max(0, last - first)


@undoes("timeline_mark_invisible")
def forget(_plane: Plane, rows: Rows, _operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Forget a snapshot that never came to be."""
    rows.delete(*rows.all(SnapshotRow, id=arguments["timeline"]))
    rows.delete(*rows.all(TimelineRow, id=arguments["timeline"]))


@performs("timeline_archive")
def archive(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Mark a branch archived: here that is a word, its directory stays where it is."""
    _state(plane, operation, "ready", "archived")


@performs("timeline_unarchive")
def unarchive(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Mark a branch in use again."""
    _state(plane, operation, "archived", "ready")


def _state(plane: Plane, operation: OperationRow, old: str, new: str) -> None:
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        branch = rows.get(BranchRow, operation.branch_id)
        if branch is not None and branch.state == old:
            branch.state, branch.state_changed_at = new, now
