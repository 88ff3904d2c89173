"""Branches renamed, expiring, protected, reset and restored on a local Neon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from neon_world import World

from neondba import capabilities
from neondba.core.plan import Plan
from neondba.core.problem import ArgumentProblem, ConfirmationNeeded, ConflictProblem, NotFoundProblem

ODD = 'o\'dd "q"; drop -- ü'


@pytest.fixture
def sql(world: World, store: str) -> Callable[[str, str], list[Any]]:
    """Run a statement on a branch of this test's project."""

    def run(branch: str, statement: str) -> list[Any]:
        return world.sql(store, branch, statement)

    return run


def names(world: World, store: str) -> list[str]:
    return sorted(each.name for each in world.call("branch.list", store).branches)


def planned(world: World, store: str, name: str, /, **arguments: Any) -> Plan:
    ctx = world.context(store)
    ctx.dry_run = True
    made = capabilities.load()[name].call(ctx, arguments)
    assert isinstance(made, Plan)
    return made


def test_a_name_with_quotes_and_sql_in_it_is_a_name(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    assert world.call("branch.rename", store, name="dev", to=ODD).name == ODD
    assert names(world, store) == ["main", ODD]
    with pytest.raises(ConflictProblem, match="has a branch main already"):
        world.call("branch.rename", store, name=ODD, to="main")
    world.call("branch.expire", store, name=ODD, after="1d")
    assert world.call("branch.delete", store, name=ODD).name == ODD


def test_an_expiry_is_set_moved_and_taken_away(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    until = world.call("branch.expire", store, name="dev", after="2d").expires_at
    assert timedelta(days=1, hours=23) < until - datetime.now(UTC) <= timedelta(days=2)
    with pytest.raises(ConflictProblem, match="a protected branch cannot"):
        world.call("branch.protect", store, name="dev")
    with pytest.raises(ConflictProblem, match="a default branch cannot"):
        world.call("branch.set_default", store, name="dev")
    assert world.call("branch.expire", store, name="dev", never=True).expires_at is None
    with pytest.raises(ConflictProblem, match="main is the default branch"):
        world.call("branch.expire", store, name="main", after="2d")
    with pytest.raises(ArgumentProblem, match="after 30 days at most"):
        world.call("branch.expire", store, name="dev", after="31d")


def test_a_protected_branch_is_neither_deleted_reset_nor_restored(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    assert world.call("branch.protect", store, name="dev").protected
    calls: list[tuple[str, dict[str, Any]]] = [
        ("branch.delete", {}), ("branch.reset", {}), ("branch.restore", {"source": "main"}),
        ("branch.expire", {"after": "1d"}),
    ]  # fmt: skip
    for name, more in calls:
        with pytest.raises(ConflictProblem, match="is protected: it cannot be") as caught:
            world.call(name, store, name="dev", **more)
        assert "neondba branch protect dev --off" in (caught.value.hint or "")
    with pytest.raises(ConfirmationNeeded):
        capabilities.load()["branch.protect"].call(world.context(store), {"name": "dev", "off": True})
    assert not world.call("branch.protect", store, name="dev", off=True).protected


def test_a_write_to_the_default_branch_needs_consent(world: World, store: str) -> None:
    for name, arguments in (
        ("branch.rename", {"name": "main", "to": "trunk"}),
        ("branch.restore", {"name": "main", "at": "0/1"}),
    ):
        plan = planned(world, store, name, **arguments)
        assert plan.needs_confirmation
        assert (plan.target.project, plan.target.branch) == (store, "main")
        assert store in plan.steps[0]


def test_another_branch_becomes_the_default(world: World, store: str) -> None:
    world.call("branch.create", store, name="next", no_compute=True)
    changed = world.call("branch.set_default", store, name="next")
    assert changed.next == (f"neondba branch set-default main --project {store}",)
    (default,) = [each.name for each in world.call("branch.list", store).branches if each.default]
    assert default == "next"


def test_a_reset_gives_the_parents_data_and_needs_consent(
    world: World, store: str, sql: Callable[..., list[Any]]
) -> None:
    world.call("branch.create", store, name="dev")
    sql("dev", "create table mine (n int)")
    sql("main", "create table theirs (n int)")
    assert planned(world, store, "branch.reset", name="dev").effect == "destroy"
    world.call("branch.reset", store, name="dev", keep_as="dev before")
    assert sql("dev", "select to_regclass('mine') is null, to_regclass('theirs') is null") == [(True, False)]
    assert names(world, store) == ["dev", "dev before", "main"]
    with pytest.raises(ConflictProblem, match="is a root branch"):
        world.call("branch.reset", store, name="main")


def test_a_branch_with_children_is_reset_only_with_a_name_for_what_they_hang_on(
    world: World, store: str
) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    world.call("branch.create", store, name="leaf", parent="dev", no_compute=True)
    with pytest.raises(ConflictProblem, match="has 1 of its own: leaf"):
        world.call("branch.reset", store, name="dev")
    world.call("branch.reset", store, name="dev", keep_as="held")
    (leaf,) = [each for each in world.call("branch.list", store).branches if each.name == "leaf"]
    assert leaf.parent == "held"


def test_production_goes_back_to_a_moment_and_forward_again(
    world: World, store: str, sql: Callable[..., list[Any]]
) -> None:
    sql("main", "create table orders (n int)")
    sql("main", "insert into orders values (1)")
    ((before,),) = sql("main", "select pg_current_wal_lsn()::text")
    sql("main", "drop table orders")
    begun = datetime.now(UTC)
    done = world.call("branch.restore", store, name="main", at=before)
    assert sql("main", "select n from orders") == [(1,)]
    # Midnight may pass meanwhile.
    assert done.kept_as in [f"main_old_{day:%Y-%m-%d}" for day in (begun, datetime.now(UTC))]
    assert done.next == (f"neondba branch restore main --source {done.kept_as} --project {store}",)
    again = world.call("branch.restore", store, name="main", source=done.kept_as)
    assert sql("main", "select to_regclass('orders') is null") == [(True,)]
    assert again.kept_as == f"{done.kept_as}_2"


def test_a_source_that_expires_is_made_to_stay(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    world.call("branch.create", store, name="held", expires="3h", no_compute=True)
    plan = planned(world, store, "branch.restore", name="dev", source="held")
    assert plan.steps[0].startswith("Let held stay")
    world.call("branch.restore", store, name="dev", source="held")
    (held,) = [each for each in world.call("branch.list", store).branches if each.name == "held"]
    assert held.expires_at is None


def test_a_moment_outside_the_history_names_the_window(world: World, store: str) -> None:
    with pytest.raises(ArgumentProblem, match=r"keeps 1d of history, so since 20") as caught:
        world.call("branch.restore", store, name="main", at="2020-01-01T00:00:00Z")
    assert caught.value.facts["history_seconds"] == 86400
    for lsn in ("0/1", "FFFFFFFF/0"):
        with pytest.raises(ArgumentProblem, match="keeps 1d of history"):
            world.call("branch.restore", store, name="main", at=lsn)


def test_a_branch_that_went_meanwhile_is_named(world: World, store: str) -> None:
    world.call("branch.create", store, name="dev", no_compute=True)
    operation = capabilities.load()["branch.reset"]
    ctx = world.context(store)

    def consent(_plan: Plan) -> bool:
        world.call("branch.delete", store, name="dev")
        return True

    ctx.ask = consent
    with pytest.raises(NotFoundProblem, match=f"dev of project {store} is gone: somebody deleted it"):
        operation.call(ctx, {"name": "dev"})
