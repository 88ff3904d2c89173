"""Branches made of a past, or of a schema alone, on a local Neon."""

from __future__ import annotations

import pytest
from neon_world import World

from neondba.core.problem import ArgumentProblem, ConflictProblem


def test_a_branch_begins_where_it_is_told_to(world: World, store: str) -> None:
    world.sql(store, "main", "create table orders as select 1 as n")
    ((lsn, moment),) = world.sql(store, "main", "select pg_current_wal_lsn()::text, clock_timestamp()")
    world.sql(store, "main", "insert into orders values (2)")
    world.call("branch.create", store, name="by lsn", at=lsn)
    world.call("branch.create", store, name="by time", at=moment.isoformat())
    world.call("branch.create", store, name="now")
    world.call("branch.create", store, name="bare", schema_only=True)
    counts = [
        world.sql(store, name, "select count(*) from orders") for name in ("by lsn", "by time", "now", "bare")
    ]
    assert counts == [[(1,)], [(1,)], [(2,)], [(0,)]]
    shown = world.call("branch.show", store, name="bare")
    assert (shown.parent, shown.schema_only) == (None, True)


def test_a_branch_that_cannot_be_is_refused_before_anything_is_made(world: World, store: str) -> None:
    world.call("branch.create", store, name="passing", expires="3h", no_compute=True)
    with pytest.raises(ConflictProblem, match=r"passing expires at .*: a branch that expires can have none"):
        world.call("branch.create", store, name="leaf", parent="passing")
    with pytest.raises(ArgumentProblem, match="only together with a compute"):
        world.call("branch.create", store, name="bare", schema_only=True, no_compute=True)
    with pytest.raises(ArgumentProblem, match="nothing for --anonymised to mask"):
        world.call("branch.create", store, name="bare", schema_only=True, anonymised=True)
    with pytest.raises(ArgumentProblem, match="keeps 1d of history"):
        world.call("branch.create", store, name="old", at="0/1")
    assert [each.name for each in world.call("branch.list", store).branches] == ["main", "passing"]
