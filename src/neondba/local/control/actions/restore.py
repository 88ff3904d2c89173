"""Put other data in a branch's place; every step is whole or not at all, and may be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neondba.local import sql
from neondba.local.control import roles, timelines
from neondba.local.control.actions import branch_of, performs, undoes
from neondba.local.control.actions.branches import forget_branch
from neondba.local.control.worker import stamp
from neondba.local.state.snapshots import ScheduleRow
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, DatabaseRow, EndpointRow, OperationRow, RoleRow, TimelineRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


@performs("import_data")
def fill(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Make a timeline beside the branch that is to have it."""
    branch = branch_of(plane, operation)
    timelines.fill(plane, arguments)
    if branch.timeline_id == arguments["timeline"]:
        with plane.state.change() as rows:
            made = rows.get(BranchRow, branch.id)
            assert made is not None
            _ready(plane, made)


@undoes("import_data")
def forget(_plane: Plane, rows: Rows, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Forget the timeline that never came to be; the branch holds what it held."""
    branch = rows.get(BranchRow, operation.branch_id)
    if branch is not None and branch.timeline_id == arguments["timeline"]:
        forget_branch(rows, branch.id)
        return
    rows.delete(*rows.all(TimelineRow, id=arguments["timeline"]))
    if branch is not None:
        branch.state = "ready"


@performs("swap_binding_id")
def swap(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Put the new timeline, or the restored branch, in the old one's place."""
    branch = branch_of(plane, operation)
    if "target" in arguments:
        _finalize(plane, branch.id, arguments)
        return
    with plane.state.change() as rows:
        found = rows.get(BranchRow, branch.id)
        assert found is not None
        if found.timeline_id != arguments["timeline"]:
            _swap(plane, rows, found, arguments)
        replicas = [row.id for row in rows.all(EndpointRow, branch_id=branch.id, type="read_only")]
    for name in replicas:
        timelines.discard(plane, name)
    if arguments.get("preserve"):
        plane.computes.stop(arguments["old"])
    else:
        timelines.discard(plane, arguments["old"])


@undoes("swap_binding_id")
def stay(plane: Plane, rows: Rows, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Leave the branch as it was and throw the new timeline away."""
    branch = rows.get(BranchRow, operation.branch_id)
    if "target" in arguments or branch is None or branch.timeline_id == arguments["timeline"]:
        return
    branch.state = "ready"
    rows.delete(*rows.all(TimelineRow, id=arguments["timeline"]))
    timelines.discard(plane, arguments["timeline"])


def _swap(plane: Plane, rows: Rows, branch: BranchRow, arguments: dict[str, Any]) -> None:
    now = stamp(plane.clock.now())
    source = rows.get(BranchRow, arguments["source_branch"])
    made = rows.get(TimelineRow, arguments["timeline"])
    assert source is not None
    assert made is not None
    itself, kept = source.id == branch.id, None
    if arguments.get("preserve"):
        kept = timelines.preserve(rows, branch, arguments["preserved_id"], arguments["preserve"], now)
    if not itself:
        timelines.inherit(rows, source, branch, now)
    branch.timeline_id = made.id
    branch.preserved_as = kept.id if kept is not None and itself else None
    branch.parent_id = branch.preserved_as or source.id
    branch.parent_lsn, branch.parent_timestamp = made.fork_lsn, made.forked_at
    branch.cloned_by, branch.last_reset_at = plane.cloner.name, now
    branch.expires_at = arguments.get("expires_at")
    _ready(plane, branch)
    if kept is None:
        rows.delete(*rows.all(TimelineRow, id=arguments["old"]))


def _finalize(plane: Plane, branch_id: str, arguments: dict[str, Any]) -> None:
    """Let a restored branch take over name, endpoints, schedule and standing of its target."""
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        branch, target = rows.get(BranchRow, branch_id), rows.get(BranchRow, arguments["target"])
        assert branch is not None
        assert target is not None
        names = [branch.timeline_id, target.timeline_id]
        both = [rows.all(EndpointRow, branch_id=each) for each in (target.id, branch.id)]
        if branch.restore_status != "finalized":
            for endpoints, heir in zip(both, (branch.id, target.id), strict=True):
                for endpoint in endpoints:
                    endpoint.branch_id, endpoint.updated_at = heir, now
            branch.name, target.name = target.name, arguments["old_name"]
            branch.is_default, target.is_default = target.is_default, False
            branch.protected, target.protected = target.protected, False
            for schedule in rows.all(ScheduleRow, branch_id=target.id):
                values = schedule.model_dump()
                rows.delete(schedule)
                rows.add(ScheduleRow(**{**values, "branch_id": branch.id}))
            branch.restore_status, branch.restored_as = "finalized", target.id
            branch.updated_at = target.updated_at = now
    replicas = [each.id for endpoints in both for each in endpoints if each.type == "read_only"]
    for name in names:
        plane.computes.stop(name)
    for name in replicas:
        timelines.discard(plane, name)


def _ready(plane: Plane, branch: BranchRow) -> None:
    now = stamp(plane.clock.now())
    branch.state, branch.state_changed_at, branch.updated_at = "ready", now, now


@performs("sync_dbs_and_roles_from_compute")
def sync(plane: Plane, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Make a branch's roles and databases those its data holds: they are older than the rows.

    Roles keep the passwords that the API gave last, so that connection strings go on working; one that
    only the past knows keeps the one it had, which nobody can show.
    """
    branch, now = branch_of(plane, operation), stamp(plane.clock.now())
    compute = plane.computes.start(branch.timeline_id)
    with compute.admin() as connection:
        sleepers = dict(connection.execute(sql.text("made_roles").encode()).fetchall())
        owners = dict(connection.execute(sql.text("made_databases").encode()).fetchall())
    with plane.state.change() as rows:
        known = {row.name: row for row in rows.all(RoleRow, branch_id=branch.id)}
        bases = {row.name: row for row in rows.all(DatabaseRow, branch_id=branch.id)}
        rows.delete(*(row for name, row in known.items() if name not in sleepers))
        rows.delete(*(row for name, row in bases.items() if name not in owners))
        new: dict[str, Any] = {"branch_id": branch.id, "created_at": now, "updated_at": now}
        for name in [each for each in sleepers if each not in known]:
            rows.add(RoleRow(name=name, password="", no_login=sleepers[name], **new))
        for name, owner in owners.items():
            if name in bases:
                bases[name].owner_name = owner
            else:
                rows.add(DatabaseRow(name=name, owner_name=owner, **new))
        current = {row.name: row for row in rows.all(RoleRow, branch_id=branch.id) if row.password}
    roles.apply(compute, {"passwords": list(current)}, current, {})
