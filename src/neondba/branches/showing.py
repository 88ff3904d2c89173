"""One branch in full."""

from __future__ import annotations

from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING

from pydantic import BaseModel

from neondba.branches import choose, listing
from neondba.core.context import Context
from neondba.core.duration import spell
from neondba.core.problem import Problem
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Endpoint, Project, Snapshot


class BranchShown(BaseModel):
    """Everything that Neon says about a branch, without a password."""

    project: str
    name: str
    id: str
    state: str
    default: bool
    protected: bool
    parent: str | None
    parent_lsn: str | None
    parent_at: datetime | None
    """The moment of the parent's history that it began as."""
    children: tuple[str, ...]
    schema_only: bool
    created_at: datetime
    created_by: str | None
    last_reset_at: datetime | None
    last_used_at: datetime | None
    expires_at: datetime | None
    history: str
    """How far back it can be restored."""
    size_bytes: int | None
    month_cost: float
    prices: str
    computes: tuple[str, ...]
    roles: tuple[str, ...]
    databases: tuple[str, ...]
    snapshots: int
    """How many are kept of it."""
    next: tuple[str, ...] = ()


def shown(client: NeonClient, ctx: Context, name: str) -> BranchShown:
    """Look everything up that one would ask next."""
    project, now = project_for(client, ctx), ctx.clock.now()
    there = client.branches(project.id)
    branch = choose.branch_of(there, project, name)
    endpoints = client.endpoints(project.id, branch.id)
    costs = listing.Costs(client, project, there, now)
    parent = next((each.name for each in there if each.id == branch.parent_id), None)
    return BranchShown(
        project=project.name,
        name=branch.name,
        id=branch.id,
        state=branch.current_state,
        default=branch.default,
        protected=branch.protected,
        parent=parent,
        parent_lsn=branch.parent_lsn,
        parent_at=branch.parent_timestamp,
        children=tuple(choose.children_of(branch, there)),
        schema_only=branch.init_source == "schema-only",
        created_at=branch.created_at,
        created_by=branch.created_by.name if branch.created_by else None,
        last_reset_at=branch.last_reset_at,
        last_used_at=listing.last_use(endpoints),
        expires_at=branch.expires_at,
        history=_history(project),
        size_bytes=branch.logical_size,
        month_cost=costs.of(branch),
        prices=listing.price_words(costs.prices, local=client.is_local),
        computes=tuple(_compute(each) for each in endpoints),
        roles=tuple(sorted(each.name for each in client.roles(project.id, branch.id))),
        databases=tuple(sorted(each.name for each in client.databases(project.id, branch.id))),
        snapshots=sum(each.source_branch_id == branch.id for each in _snapshots(client, project)),
        next=_next(project, branch, parent),
    )


def _history(project: Project) -> str:
    window = timedelta(seconds=project.history_retention_seconds)
    return f"{spell(window)} back" if window else "none is kept"


def _compute(endpoint: Endpoint) -> str:
    low, high = endpoint.autoscaling_limit_min_cu, endpoint.autoscaling_limit_max_cu
    size = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    kind = "" if endpoint.type == "read_write" else " read-only"
    return f"{endpoint.id}{kind}, {size} CU, {endpoint.current_state}"


def _snapshots(client: NeonClient, project: Project) -> list[Snapshot]:
    try:
        return client.snapshots(project.id)
    except Problem:
        # Some plans have none; that is no reason to show nothing.
        return []


def _next(project: Project, branch: Branch, parent: str | None) -> tuple[str, ...]:
    where, name = f"--project {quote(project.name)}", quote(branch.name)
    found = [f"neondba branch checkout {name} {where}"]
    found += [f"neondba branch reset {name} {where}"] if parent and not branch.protected else []
    found += [f"neondba snapshot create {name} {where}"] if parent is None else []
    return tuple(found)
