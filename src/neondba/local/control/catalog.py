"""Keep rows in step with the roles and databases that SQL made, renamed or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from neondba.local import sql
from neondba.local.computes.process import Compute
from neondba.local.control import changes
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, DatabaseRow, RoleRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

ACTION: Final = "sync_dbs_and_roles_from_compute"


def sync(plane: Plane, branch: BranchRow) -> None:
    """Read a branch's roles and databases from its compute if that is awake and nothing changes them."""
    compute = plane.computes.running(branch.timeline_id)
    if compute is None:
        return
    with plane.state.read() as rows:
        if rows.unfinished(branch_id=branch.id):
            return
        known = _known(rows, branch.id)
    found = _found(compute)
    if found is None or found == known:
        return
    with plane.state.change() as rows:
        current = rows.get(BranchRow, branch.id)
        # Somebody may have asked for a change since: what was read is old then.
        if current is None or rows.unfinished(branch_id=branch.id) or _known(rows, branch.id) != known:
            return
        now = stamp(plane.clock.now())
        _roles(rows, branch.id, found[0], now)
        _databases(rows, branch.id, found[1], now)
        done = changes.operation(rows, ACTION, branch.project_id, now, branch_id=branch.id)
        done.status = "finished"


Contents = tuple[dict[str, bool], dict[str, str]]
"""Roles and whether they cannot log in; databases and their owners."""


def _known(rows: Rows, branch_id: str) -> Contents:
    roles = {row.name: row.no_login for row in rows.all(RoleRow, branch_id=branch_id)}
    return roles, {row.name: row.owner_name for row in rows.all(DatabaseRow, branch_id=branch_id)}


def _found(compute: Compute) -> Contents | None:
    """Ask the compute; None when it went to sleep meanwhile."""
    from neondba.postgres.connect import Refused

    try:
        with compute.admin() as session:
            roles = session.execute(sql.text("made_roles")).fetchall()
            databases = session.execute(sql.text("made_databases")).fetchall()
    except Refused:
        return None
    return dict(roles), dict(databases)


def _roles(rows: Rows, branch_id: str, found: dict[str, bool], now: str) -> None:
    rows.delete(*(row for row in rows.all(RoleRow, branch_id=branch_id) if row.name not in found))
    known = {row.name: row for row in rows.all(RoleRow, branch_id=branch_id)}
    for name, no_login in found.items():
        row = known.get(name)
        if row is None:
            made = RoleRow(
                branch_id=branch_id, name=name, password="", no_login=no_login, created_at=now, updated_at=now
            )
            rows.add(made)
        elif row.no_login != no_login:
            row.no_login, row.updated_at = no_login, now


def _databases(rows: Rows, branch_id: str, found: dict[str, str], now: str) -> None:
    rows.delete(*(row for row in rows.all(DatabaseRow, branch_id=branch_id) if row.name not in found))
    known = {row.name: row for row in rows.all(DatabaseRow, branch_id=branch_id)}
    for name, owner in found.items():
        row = known.get(name)
        if row is None:
            changes.database(rows, branch_id, name, owner, now)
        elif row.owner_name != owner:
            row.owner_name, row.updated_at = owner, now
