"""Usage summed up: for a project's and a branch's figures, and for the consumption endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from neondba.local.control.worker import stamp
from neondba.local.metering.hours import Granularity, frames
from neondba.local.state.store import Rows
from neondba.local.state.usage import UsageRow


@dataclass(frozen=True)
class Totals:
    """Figures of one consumption period, in the units of Neon's API."""

    active_time_seconds: int
    compute_time_seconds: int
    written_data_bytes: int
    data_transfer_bytes: int
    data_storage_bytes_hour: int
    logical_size: int
    """Bytes at the last sample."""


def totals(rows: Rows, since: str, **equals: str) -> Totals:
    """Sum up what a branch or project (`branch_id=`, `project_id=`) used since an hour."""
    found = [row for row in rows.all(UsageRow, **equals) if row.hour >= since]
    latest = {row.branch_id: row for row in found}
    return Totals(
        round(sum(row.active_seconds for row in found)),
        round(sum(row.compute_unit_seconds for row in found)),
        sum(row.written_bytes for row in found),
        sum(row.transferred_bytes for row in found),
        sum(_stored(row) for row in found),
        sum(row.logical_bytes for row in latest.values()),
    )


def _stored(row: UsageRow) -> int:
    """Give the bytes that a branch pays for: a child only what differs from its parent."""
    return min(row.delta_bytes, row.logical_bytes) if row.child else row.logical_bytes


Measure = Callable[[Sequence[UsageRow]], float]
METRICS: Final[dict[str, Measure]] = {
    "compute_unit_seconds": lambda rows: sum(row.compute_unit_seconds for row in rows),
    "root_branch_bytes_month": lambda rows: sum(_stored(row) for row in rows if not row.child),
    "child_branch_bytes_month": lambda rows: sum(_stored(row) for row in rows if row.child),
    "instant_restore_bytes_month": lambda rows: sum(row.history_bytes for row in rows if not row.child),
    "public_network_transfer_bytes": lambda rows: sum(row.transferred_bytes for row in rows),
    "private_network_transfer_bytes": lambda _rows: 0,
    "extra_branches_month": lambda rows: sum(row.child for row in rows),
    "snapshot_storage_bytes_month": lambda rows: sum(row.snapshot_bytes for row in rows),
}
"""Neon's metrics. Those that end in `month` are counted per hour: byte-hours, branch-hours."""
PER_PROJECT_ONLY: Final = frozenset({"extra_branches_month", "snapshot_storage_bytes_month"})


def history(
    found: Iterable[UsageRow],
    start: datetime,
    end: datetime,
    granularity: Granularity,
    show: Callable[[Sequence[UsageRow]], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Show usage by time frames, oldest first."""
    usage, shown = list(found), []
    for begin, border in frames(start, end, granularity):
        first, last = stamp(begin), stamp(border)
        inside = [row for row in usage if first <= row.hour < last]
        shown.append({"timeframe_start": first, "timeframe_end": last, **show(inside)})
    return shown


def metrics(names: Sequence[str]) -> Callable[[Sequence[UsageRow]], dict[str, Any]]:
    """Show the named metrics, as version 2 of the endpoints does."""

    def show(rows: Sequence[UsageRow]) -> dict[str, Any]:
        return {"metrics": [{"metric_name": name, "value": round(METRICS[name](rows))} for name in names]}

    return show


def legacy(rows: Sequence[UsageRow]) -> dict[str, Any]:
    """Show the fixed figures of the endpoints' first version."""
    hours: dict[str, int] = {}
    logical: dict[str, int] = {}
    for row in rows:
        hours[row.hour] = hours.get(row.hour, 0) + _stored(row) + row.history_bytes
        logical[row.hour] = logical.get(row.hour, 0) + row.logical_bytes
    last = max(hours, default="")
    return {
        "active_time_seconds": round(sum(row.active_seconds for row in rows)),
        "compute_time_seconds": round(sum(row.compute_unit_seconds for row in rows)),
        "written_data_bytes": sum(row.written_bytes for row in rows),
        "synthetic_storage_size_bytes": hours.get(last, 0),
        "data_storage_bytes_hour": sum(hours.values()),
        "logical_size_bytes": logical.get(last, 0),
        "logical_size_bytes_hour": sum(logical.values()),
    }
