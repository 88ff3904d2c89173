"""The schema of a branch's database, now or in the past, and how two differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from neondba.local import sql
from neondba.local.api import points
from neondba.local.api.call import Call, Refusal, answers
from neondba.local.computes.process import Compute
from neondba.local.control import dumps
from neondba.local.state.tables import BranchRow
from neondba.local.storage.point import Point

ONE: Final = "/projects/{project_id}/branches/{branch_id}"
EXISTS: Final = "select 1 from pg_database where datname = %s and datallowconn"


@answers(
    "GET",
    ONE + "/schema",
    "getProjectBranchSchema",
    says="Gives a database's schema as pg_dump writes it or as JSON, now or at an LSN or timestamp.",
    differs="Without pg_dump's `\\restrict` lines: their word is new each time.",
)
def get_schema(call: Call) -> dict[str, Any]:
    """Give a database's schema."""
    form = call.query.get("format") or "sql"
    if form not in ("sql", "json"):
        raise Refusal(400, "format must be sql or json")
    point, name = _point(call, ""), _database(call)
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
    with _compute(call, branch, point, name) as compute:
        if form == "sql":
            return {"sql": dumps.schema(compute, name)}
        with compute.admin(name) as session:
            row = session.execute(sql.text("schema_json")).fetchone()
    assert row is not None
    return {"json": {"tables": row[0]}}


@answers(
    "GET",
    ONE + "/compare_schema",
    "getProjectBranchSchemaComparison",
    says="Compares a database's schema with another branch's, or with the branch's own past.",
    differs="A database that only one branch has is compared with an empty one.",
)
def compare_schema(call: Call) -> dict[str, Any]:
    """Give what turns the base's schema into this branch's, as a unified diff."""
    point, base_point, name = _point(call, ""), _point(call, "base_"), _database(call)
    with call.plane.state.read() as rows:
        branch = call.branch(rows)
        base = _base(branch, call.query.get("base_branch_id"), base_point)
        sides = [(call.branch(rows, base), base_point), (branch, point)]
    texts = [_text(call, side, at, name) for side, at in sides]
    if texts == [None, None]:
        raise Refusal(404, f"database {name} not found on either branch")
    before, after = ((text or "").splitlines(keepends=True) for text in texts)
    return {"diff": "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))}


def _base(branch: BranchRow, named: str | None, point: Point) -> str:
    """Give the branch to compare with: the one named, itself for its own past, or its parent."""
    if named or not point.now:
        return named or branch.id
    if branch.parent_id is None:
        raise Refusal(400, f"base_branch_id is required: branch {branch.id} has no parent to compare with")
    return branch.parent_id


def _text(call: Call, branch: BranchRow, point: Point, name: str) -> str | None:
    try:
        with _compute(call, branch, point, name) as compute:
            return dumps.schema(compute, name)
    except Refusal as refusal:
        if refusal.status == 404:
            return None
        raise


@contextmanager
def _compute(call: Call, branch: BranchRow, point: Point, name: str) -> Iterator[Compute]:
    if not call.plane.worker.wait(dumps.READY_LIMIT, branch_id=branch.id):
        raise Refusal(423, f"branch {branch.id} is not ready yet")
    with dumps.at(call.plane, branch.timeline_id, point) as compute:
        with compute.admin() as session:
            found = session.execute(EXISTS, [name]).fetchone()
        if found is None:
            raise Refusal(404, f"database {name} not found on branch {branch.id}")
        yield compute


def _database(call: Call) -> str:
    name = call.query.get("db_name")
    if not name or "\0" in name:
        raise Refusal(400, "db_name is required")
    return name


def _point(call: Call, prefix: str) -> Point:
    return points.asked(call.query, call.plane.clock.now(), prefix + "lsn", prefix + "timestamp")
