"""When snapshots are taken by themselves."""

from __future__ import annotations

import json
from typing import Any, Final

from neondba.local.api.branches import ONE
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.snapshots import require_root
from neondba.local.control.schedules import FREQUENCIES
from neondba.local.state.snapshots import ScheduleRow

SCHEDULE: Final = ONE + "/backup_schedule"
BOUNDS: Final = {"hour": (0, 23), "day": (1, 31), "month": (1, 12), "retention_seconds": (3600, 1 << 31)}


@answers("GET", SCHEDULE, "getSnapshotSchedule", says="Shows when a branch's snapshots are taken.")
def get_schedule(call: Call) -> dict[str, Any]:
    """Show when a branch's snapshots are taken."""
    with call.plane.state.read() as rows:
        found = rows.get(ScheduleRow, call.branch(rows).id)
    return {"schedule": json.loads(found.items) if found is not None else []}


@answers(
    "PUT",
    SCHEDULE,
    "setSnapshotSchedule",
    says="Sets when a root branch's snapshots are taken, hourly to yearly, in UTC; an empty list ends it.",
    differs="Taken while the server runs; of turns missed meanwhile only the last is made up. Kept 35 days "
    "unless `retention_seconds` says otherwise. Day 1 of a week is Monday.",
)
def set_schedule(call: Call) -> dict[str, Any]:
    """Set when a branch's snapshots are taken."""
    items = _items(call.body.get("schedule"))
    with call.locked() as rows:
        branch = call.branch(rows)
        require_root(rows, branch)
        rows.delete(*rows.all(ScheduleRow, branch_id=branch.id))
        if items:
            row = ScheduleRow(
                branch_id=branch.id,
                project_id=branch.project_id,
                items=json.dumps(items),
                created_at=call.now,
                seen_at=call.now,
            )
            rows.add(row)
    return {}


def _items(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise Refusal(400, "schedule must be a list of objects")
    return [_item(item) for item in given]


def _item(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("frequency") not in FREQUENCIES:
        raise Refusal(400, f"frequency must be one of {', '.join(FREQUENCIES)}")
    if item["frequency"] == "weekly" and (item.get("day") or 1) not in range(1, 8):
        raise Refusal(400, "day of a weekly schedule must be between 1 and 7")
    for name, (least, most) in BOUNDS.items():
        value = item.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Refusal(400, f"{name} must be between {least} and {most}")
    known = ("frequency", *BOUNDS)
    return {name: item[name] for name in known if item.get(name) is not None}
