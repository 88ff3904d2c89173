"""Timelines that are not, or no longer, a branch's: made beside, put in a branch's place, thrown away."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from neondba.local.control import changes
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, RoleRow, TimelineRow
from neondba.local.storage.point import Point

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane


def point(arguments: dict[str, Any]) -> Point:
    """Read the point that an operation's arguments hold."""
    moment = arguments.get("timestamp")
    return Point(arguments.get("lsn"), datetime.fromisoformat(moment) if moment else None)


def fill(plane: Plane, arguments: dict[str, Any]) -> None:
    """Make the directory of a new timeline from its source, and note where they part."""
    name, wanted = arguments["timeline"], point(arguments)
    fork = plane.history.make(arguments["source"], wanted, name)
    moment = fork.at or wanted.timestamp or plane.clock.now()
    with plane.state.change() as rows:
        row = rows.get(TimelineRow, name)
        if row is not None:
            row.fork_lsn = row.fork_lsn or fork.lsn or wanted.lsn
            row.forked_at = row.forked_at or stamp(moment)


def discard(plane: Plane, name: str) -> None:
    """Stop a timeline's compute and take its directory away."""
    plane.computes.stop(name, at_once=True)
    plane.branches.replace(name)


def inherit(rows: Rows, source: BranchRow, branch: BranchRow, now: str) -> None:
    """Give a branch the roles and databases of the one its data came from.

    A protected branch's passwords stay its own: the roles that both have keep the other's.
    """
    own = {row.name: row.password for row in rows.all(RoleRow, branch_id=branch.id)}
    changes.forget_contents(rows, branch.id)
    changes.copied_rows(rows, source, branch, now)
    if source.protected:
        changes.renew_passwords(rows, branch.id, own)


def preserve(rows: Rows, branch: BranchRow, branch_id: str, name: str, now: str) -> BranchRow:
    """Give what a branch holds now to a new one, its children too."""
    kept = BranchRow(
        **{
            **branch.model_dump(),
            "id": branch_id,
            "name": name,
            "state": "ready",
            "state_changed_at": now,
            "created_at": now,
            "updated_at": now,
            "is_default": False,
            "protected": False,
            "expires_at": None,
            "ttl_interval_seconds": None,
            "restored_from": None,
            "restored_as": None,
            "restore_status": None,
        }
    )
    rows.add(kept)
    changes.copied_rows(rows, branch, kept, now)
    for child in rows.all(BranchRow, parent_id=branch.id):
        child.parent_id = kept.id
    return kept
