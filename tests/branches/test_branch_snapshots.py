"""Snapshots on a local Neon: taken, listed, scheduled, restored, put in place, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from neon_world import World

from neondba import capabilities
from neondba.core.plan import Plan
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem


def planned(world: World, store: str, operation: str, /, **arguments: Any) -> Plan:
    ctx = world.context(store)
    ctx.dry_run = True
    made = capabilities.load()[operation].call(ctx, arguments)
    assert isinstance(made, Plan)
    return made


def names(world: World, store: str) -> list[str]:
    return sorted(each.name for each in world.call("branch.list", store).branches)


def test_a_snapshot_is_looked_at_first_and_then_put_in_place(world: World, store: str) -> None:
    world.sql(store, "main", "create table orders as select 1 as n")
    taken = world.call("snapshot.create", store, name='before "launch"', expires="7d")
    assert timedelta(days=6) < taken.expires_at - datetime.now(UTC) <= timedelta(days=7)
    world.sql(store, "main", "drop table orders")
    looked = world.call("snapshot.restore", store, name='before "launch"', to="look")
    assert (looked.branch, looked.kept_as) == ("look", None)
    assert world.sql(store, "main", "select to_regclass('orders') is null") == [(True,)]
    plan = planned(world, store, "snapshot.finalise", name="look", keep_as="main before")
    assert plan.needs_confirmation
    assert plan.target.branch == "main"
    done = world.call("snapshot.finalise", store, name="look", keep_as="main before")
    assert (done.branch, done.kept_as) == ("main", "main before")
    assert world.sql(store, "main", "select n from orders") == [(1,)]
    assert names(world, store) == ["main", "main before"]
    with pytest.raises(ConflictProblem, match="waits to take a place"):
        world.call("snapshot.finalise", store, name="main")


def test_production_comes_back_in_one_step(world: World, store: str) -> None:
    world.sql(store, "main", "create table orders as select 1 as n")
    taken = world.call("snapshot.create", store)
    world.sql(store, "main", "drop table orders")
    assert planned(world, store, "snapshot.restore", name=taken.name, finalise=True).needs_confirmation
    done = world.call("snapshot.restore", store, name=taken.name, finalise=True)
    assert (done.branch, done.kept_as) == ("main", "main (old)")
    assert world.sql(store, "main", "select n from orders") == [(1,)]
    world.call("branch.restore", store, name="main", source="main (old)")
    assert world.sql(store, "main", "select to_regclass('orders') is null") == [(True,)]


def test_a_list_names_the_branch_and_what_was_held(world: World, store: str) -> None:
    assert world.call("snapshot.list", store).next == (f"neondba snapshot create --project {store}",)
    world.call("snapshot.create", store, name="one")
    world.call("snapshot.create", store, name="two")
    found = world.call("snapshot.list", store).snapshots
    assert [(each.name, each.branch, each.by_schedule) for each in found] == [
        ("two", "main", False),
        ("one", "main", False),
    ]
    assert world.call("branch.show", store, name="main").snapshots == 2
    assert world.call("snapshot.delete", store, name="one").name == "one"
    with pytest.raises(NotFoundProblem, match=f"no snapshot one in project {store}") as caught:
        world.call("snapshot.delete", store, name="one")
    assert caught.value.hint == "There are: two."
    world.call("snapshot.create", store, name="two")
    with pytest.raises(ArgumentProblem, match=r"2 snapshots in project .* are called two"):
        world.call("snapshot.delete", store, name="two")


def test_a_child_has_no_snapshots(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    for name, more in (("snapshot.create", {}), ("snapshot.schedule", {"every": "daily"})):
        with pytest.raises(ConflictProblem, match="of root branches only") as caught:
            world.call(name, store, branch="dev", **more)
        assert "neondba branch create NAME --parent dev" in (caught.value.hint or "")


def test_a_snapshot_of_a_moment_outside_the_history_is_refused(world: World, store: str) -> None:
    with pytest.raises(ArgumentProblem, match="keeps 1d of history"):
        world.call("snapshot.create", store, at="3d ago")
    with pytest.raises(ArgumentProblem, match="keeps 1d of history"):
        world.call("snapshot.create", store, at="0/1")


def test_a_schedule_is_set_added_to_shown_and_ended(world: World, store: str) -> None:
    assert world.call("snapshot.schedule", store).turns == ()
    assert not planned(world, store, "snapshot.schedule", every="daily").needs_confirmation
    world.call("snapshot.schedule", store, every="daily", hour=3, keep="7d")
    world.call("snapshot.schedule", store, every="weekly", day=7, also=True)
    assert world.call("snapshot.schedule", store).turns == (
        "every day at 03:00 UTC, kept for 7d",
        "every Sunday at 00:00 UTC, kept as long as Neon keeps them",
    )
    with pytest.raises(ArgumentProblem, match="opposite"):
        world.call("snapshot.schedule", store, every="daily", off=True)
    plan = planned(world, store, "snapshot.schedule", off=True)
    assert plan.needs_confirmation
    assert plan.steps[0] == "No longer: every day at 03:00 UTC, kept for 7d."
    assert world.call("snapshot.schedule", store, off=True).turns == ()
