"""Consumption history, in Neon's units."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from neondba.local.api import views
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.api.people import PLAN
from neondba.local.metering import usage
from neondba.local.metering.hours import LOOK_BACK, Granularity, floor, parse
from neondba.local.state.tables import BranchRow, ProjectRow
from neondba.local.state.usage import UsageRow

PERIODS: Final = uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
DIFFERS: Final = (
    "Measured by this machine: computes run at their smallest size, the hour that is running is included, "
    "and there is no rate limit."
)


@answers(
    "GET",
    "/consumption_history/v2/projects",
    "getConsumptionHistoryPerProjectV2",
    says="Gives the metrics of projects by hours, days or months.",
    differs=DIFFERS,
)
def per_project(call: Call) -> dict[str, Any]:
    """Give the metrics asked for, by project."""
    _organization(call)
    return _by_project(call, usage.metrics(_metrics(call, frozenset())))


@answers(
    "GET",
    "/consumption_history/projects",
    "getConsumptionHistoryPerProject",
    says="Gives the fixed figures of projects by hours, days or months.",
    differs=DIFFERS,
)
def per_project_v1(call: Call) -> dict[str, Any]:
    """Give the figures of the endpoint's first version, by project."""
    return _by_project(call, usage.legacy)


@answers(
    "GET",
    "/consumption_history/v2/branches",
    "getConsumptionHistoryPerBranchV2",
    says="Gives the metrics of branches, deleted ones included, by hours, days or months.",
    differs=DIFFERS,
)
def per_branch(call: Call) -> dict[str, Any]:
    """Give the metrics asked for, by branch."""
    _organization(call)
    show = usage.metrics(_metrics(call, usage.PER_PROJECT_ONLY))
    start, end, granularity = _span(call)
    projects, wanted = _list(call, "project_ids"), set(_list(call, "branch_ids"))
    if not projects:
        raise Refusal(400, "parameter project_ids is required")
    limit = call.number("limit", 100, 1000)
    _measure_now(call, projects)
    with call.plane.state.read() as rows:
        found = [row for name in projects for row in rows.all(UsageRow, project_id=name)]
        born = {row.id: row.created_at for row in rows.all(BranchRow)}
    owners = {row.branch_id: row.project_id for row in found if not wanted or row.branch_id in wanted}
    page = [name for name in sorted(owners) if name > call.query.get("cursor", "")][:limit]
    branches = []
    for branch_id in page:
        mine = [row for row in found if row.branch_id == branch_id]
        since = max(start, floor(parse(born.get(branch_id, mine[0].hour)), granularity))
        shown = _periods(branch_id, usage.history(mine, since, end, granularity, show))
        branches.append({"project_id": owners[branch_id], "branch_id": branch_id, "periods": shown})
    return {"branches": branches, **_more(page[-1] if len(page) == limit else None)}


def _by_project(call: Call, show: Callable[[Sequence[UsageRow]], dict[str, Any]]) -> dict[str, Any]:
    start, end, granularity = _span(call)
    limit, wanted = call.number("limit", 10, 100), _list(call, "project_ids")
    with call.plane.state.read() as rows:
        projects = [row for row in rows.all(ProjectRow)[::-1] if not wanted or row.id in wanted]
    names = [row.id for row in projects]
    cursor = call.query.get("cursor")
    first = names.index(cursor) + 1 if cursor in names else 0
    page = projects[first : first + limit]
    _measure_now(call, [row.id for row in page])
    shown = []
    for project in page:
        with call.plane.state.read() as rows:
            found = rows.all(UsageRow, project_id=project.id)
        since = max(start, floor(parse(project.created_at), granularity))
        frames = usage.history(found, since, end, granularity, show)
        shown.append({"project_id": project.id, "periods": _periods(project.id, frames)})
    return {"projects": shown, **_more(page[-1].id if len(page) == limit else None)}


def _measure_now(call: Call, projects: Sequence[str]) -> None:
    """Read the meters of awake computes; a sleeping one is not woken."""
    with call.plane.state.read() as rows:
        names = [row.timeline_id for name in projects for row in rows.all(BranchRow, project_id=name)]
    call.plane.meter.tick()
    for name in names:
        call.plane.meter.sample(name)
    call.plane.meter.flush()


def _periods(name: str, frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not frames:
        return []
    start = frames[0]["timeframe_start"]
    period_id = str(uuid.uuid5(PERIODS, f"{name} {PLAN}"))
    return [{"period_id": period_id, "period_plan": PLAN, "period_start": start, "consumption": frames}]


def _span(call: Call) -> tuple[datetime, datetime, Granularity]:
    granularity = call.query.get("granularity", "")
    if granularity not in LOOK_BACK:
        raise Refusal(400, "parameter granularity must be one of hourly, daily, monthly")
    unit = granularity
    now = call.plane.clock.now()
    start, end = (_moment(call, name) for name in ("from", "to"))
    if start >= end:
        raise Refusal(406, "the date range is invalid: `from` must be before `to`")
    if floor(start, unit) < floor(now - LOOK_BACK[unit], unit):
        days = LOOK_BACK[unit].days
        raise Refusal(406, f"the date range is outside the limits: {unit} data goes back {days} days")
    return floor(start, unit), min(end, now), unit


def _moment(call: Call, name: str) -> datetime:
    text = call.query.get(name)
    if not text:
        raise Refusal(400, f"parameter {name} is required")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"parameter {name} must be an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise Refusal(400, f"parameter {name} must have a time zone")
    return moment.astimezone(UTC)


def _metrics(call: Call, refused: frozenset[str]) -> list[str]:
    names = _list(call, "metrics")
    allowed = [name for name in usage.METRICS if name not in refused]
    wrong = [name for name in names if name not in allowed]
    if wrong or not names:
        said = f"unsupported metric {wrong[0]}" if wrong else "parameter metrics is required"
        raise Refusal(400, f"{said}; supported: {', '.join(allowed)}")
    return names


def _list(call: Call, name: str) -> list[str]:
    """Give a parameter that may be repeated or hold commas."""
    many = call.query.getlist(name) if hasattr(call.query, "getlist") else [call.query.get(name, "")]
    return [part for text in many for part in text.split(",") if part]


def _organization(call: Call) -> None:
    if not call.query.get("org_id"):
        raise Refusal(400, "parameter org_id is required")
    if call.query["org_id"] != views.ORGANIZATION:
        raise Refusal(404, "organization not found")


def _more(cursor: str | None) -> dict[str, Any]:
    return {"pagination": {"cursor": cursor}} if cursor else {}
