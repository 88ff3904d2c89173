"""Branches that have another's schema and none of its rows: roots, with no parent."""

from __future__ import annotations

from typing import Any, Final

from neondba.local import ids
from neondba.local.api import past, points, views
from neondba.local.api.call import Call, Refusal, checked_sizes
from neondba.local.api.names import expiry
from neondba.local.control import changes
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow

SCHEMA_ONLY: Final = "schema-only"
MOST_ROOTS: Final = 25
"""Root branches of one project, on the plan that the local Neon stands for."""


def create(call: Call) -> dict[str, Any]:
    """Create a root branch with the schema of another as it is now, or was."""
    from neondba.local.api.branches import free_name

    wanted, options = call.part("branch"), _compute(call.body.get("endpoints"))
    point = points.asked(wanted, call.plane.clock.now(), "parent_lsn", "parent_timestamp")
    until, life = expiry(wanted.get("expires_at"), call.plane.clock.now())
    with call.plane.state.read() as rows:
        timeline_id = _source(call, rows, wanted.get("parent_id")).timeline_id
    found, now = past.located(call, timeline_id, point), call.now
    with call.locked() as rows:
        source = _source(call, rows, wanted.get("parent_id"))
        _count(rows, source.project_id)
        branch_id = ids.branch_id()
        branch = BranchRow(
            id=branch_id,
            timeline_id=changes.timeline(rows, branch_id, source.project_id, now).id,
            project_id=source.project_id,
            name=free_name(rows, source.project_id, wanted.get("name") or branch_id),
            protected=bool(wanted.get("protected", False)),
            init_source=SCHEMA_ONLY,
            state_changed_at=now,
            created_at=now,
            updated_at=now,
            expires_at=until,
            ttl_interval_seconds=life,
        )
        rows.add(branch)
        arguments = {"source": source.timeline_id, **past.arguments(found)}
        operations = _operations(rows, source, branch, options, arguments)
    call.made(operations[0])
    return views.created(call.plane, branch.id, operations, passwords=False)


def _operations(
    rows: Rows, source: BranchRow, branch: BranchRow, options: dict[str, Any], arguments: dict[str, Any]
) -> list[OperationRow]:
    now, project_id, where = branch.created_at, branch.project_id, {"branch_id": branch.id}
    made = changes.operation(rows, "apply_schema_from_branch", project_id, now, **where, **arguments)
    contents = changes.contents(rows, source, branch, now)
    endpoint = changes.endpoint(rows, branch, now, options)
    started = changes.operation(rows, "start_compute", project_id, now, endpoint_id=endpoint.id, **where)
    return [made, *contents, started]


def _source(call: Call, rows: Rows, named: str | None) -> BranchRow:
    return call.branch(rows, named) if named else call.default_branch(rows)


def _count(rows: Rows, project_id: str) -> None:
    roots = rows.all(BranchRow, project_id=project_id, parent_id=None, deleting=False)
    if len(roots) >= MOST_ROOTS:
        raise Refusal(
            422,
            f"root branches limit exceeded: a project has at most {MOST_ROOTS}",
            "ROOT_BRANCHES_LIMIT_EXCEEDED",
        )


def _compute(endpoints: Any) -> dict[str, Any]:
    """Give the options of the one compute that such a branch must have."""
    if not isinstance(endpoints, list) or len(endpoints) != 1 or not isinstance(endpoints[0], dict):
        raise Refusal(400, "schema-only branches require exactly one read_write endpoint")
    options: dict[str, Any] = endpoints[0]
    if options.get("type", "read_write") != "read_write":
        raise Refusal(400, "schema-only branches require a read_write endpoint")
    checked_sizes(options)
    return options
