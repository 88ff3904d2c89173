"""Which directory, and so which compute, stands behind an endpoint."""

from __future__ import annotations

from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow


def compute_name(rows: Rows, endpoint: EndpointRow) -> str:
    """Give the name of an endpoint's compute: its branch's timeline, or the replica's own id."""
    if endpoint.type == "read_only":
        return endpoint.id
    branch = rows.get(BranchRow, endpoint.branch_id)
    return branch.timeline_id if branch is not None else endpoint.branch_id


def endpoints_by_compute(rows: Rows) -> dict[str, EndpointRow]:
    """Give every endpoint by the name of its compute."""
    return {compute_name(rows, row): row for row in rows.all(EndpointRow, deleting=False)}
