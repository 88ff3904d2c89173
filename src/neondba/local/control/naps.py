"""When computes wake and sleep by themselves, as the API shows it."""

from __future__ import annotations

from typing import Final

from neondba.core.problem import ConflictProblem
from neondba.local.computes.manager import Computes
from neondba.local.control import changes
from neondba.local.control.names import compute_name
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow

MOST_ACTIVE: Final = 20
"""Computes of a project that may be awake at once; the default branch's do not count."""
OVER_LIMIT: Final = "active endpoints limit exceeded"


def awakened(rows: Rows, endpoint_id: str, now: str) -> None:
    """Note that a connection woke a compute."""
    endpoint = rows.get(EndpointRow, endpoint_id)
    if endpoint is not None:
        endpoint.started_at = endpoint.last_active = endpoint.updated_at = now
        endpoint.suspended_at = None
        _done(rows, "start_compute", endpoint, now)


def suspended(rows: Rows, endpoint_id: str, now: str, last_active: str) -> None:
    """Note that a compute went to sleep for want of work."""
    endpoint = rows.get(EndpointRow, endpoint_id)
    if endpoint is not None:
        endpoint.suspended_at = endpoint.updated_at = now
        endpoint.last_active = max(last_active, endpoint.started_at or "")
        _done(rows, "suspend_compute", endpoint, now)


def _done(rows: Rows, action: str, endpoint: EndpointRow, now: str) -> None:
    where = {"branch_id": endpoint.branch_id, "endpoint_id": endpoint.id}
    changes.operation(rows, action, endpoint.project_id, now, **where).status = "finished"


def refuse_disabled(endpoint: EndpointRow) -> None:
    """Refuse a disabled endpoint.

    Raises:
        ConflictProblem: it is disabled.
    """
    if endpoint.disabled:
        raise ConflictProblem(
            "endpoint-disabled",
            "The endpoint has been disabled. Enable it using the Neon API and retry.",
            hint=f"Enable {endpoint.id}: PATCH /projects/{endpoint.project_id}/endpoints/{endpoint.id}.",
        )


def over_limit(rows: Rows, computes: Computes, endpoint: EndpointRow) -> bool:
    """Tell whether the project has as many awake computes as it may, this one left aside."""
    others = rows.all(EndpointRow, project_id=endpoint.project_id, deleting=False)
    default = {row.id for row in rows.all(BranchRow, project_id=endpoint.project_id, is_default=True)}
    if endpoint.branch_id in default or len(others) <= MOST_ACTIVE:
        return False
    counted = [row for row in others if row.id != endpoint.id and row.branch_id not in default]
    return sum(computes.running(compute_name(rows, row)) is not None for row in counted) >= MOST_ACTIVE


def refuse_over_limit(rows: Rows, computes: Computes, endpoint: EndpointRow) -> None:
    """Refuse to wake one compute too many.

    Raises:
        ConflictProblem: as many are awake as may be.
    """
    if over_limit(rows, computes, endpoint):
        raise ConflictProblem(
            "active-endpoints-limit-exceeded",
            "You have exceeded the limit of concurrently active endpoints. "
            "Please suspend some endpoints and retry.",
            hint=f"{MOST_ACTIVE} computes of a project may be awake besides the default branch's.",
        )
