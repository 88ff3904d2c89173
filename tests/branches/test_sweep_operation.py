"""A sweep on a local Neon."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from neon_world import World

from neondba import capabilities
from neondba.core.context import Clock, Context
from neondba.core.plan import Plan
from neondba.core.problem import ConfirmationNeeded, NotFoundProblem


class Later(Clock):
    """A clock that is some days ahead."""

    def __init__(self, days: float) -> None:
        self.ahead = timedelta(days=days)

    def now(self) -> datetime:
        return super().now() + self.ahead


def context(world: World, store: str, folder: Path, days: float = 3) -> Context:
    ctx = world.context(store)
    ctx.folder, ctx.clock = folder, Later(days)
    return ctx


def sweep(ctx: Context, **arguments: Any) -> Any:
    return capabilities.load()["branch.sweep"].call(ctx, arguments)


def agreed(ctx: Context, **arguments: Any) -> Any:
    with pytest.raises(ConfirmationNeeded) as needed:
        sweep(ctx, **arguments)
    ctx.confirmation = needed.value.facts["hash"]
    return sweep(ctx, **arguments)


def names(world: World, store: str) -> list[str]:
    return sorted(each.name for each in world.call("branch.list", store).branches)


def repository(folder: Path) -> None:
    """Make a git repository without branches and without a remote."""
    (folder / ".git" / "refs" / "heads").mkdir(parents=True)
    (folder / ".git" / "objects").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")


def test_the_rehearsal_names_each_branch_its_reason_and_its_price(
    world: World, store: str, tmp_path: Path
) -> None:
    repository(tmp_path)
    world.call("branch.create", store, name="preview/gone", no_compute=True)
    world.call("branch.create", store, name="preview/kept", no_compute=True)
    world.call("branch.protect", store, name="preview/kept")
    ctx = context(world, store, tmp_path)
    ctx.dry_run = True
    plan = sweep(ctx)
    assert isinstance(plan, Plan)
    assert plan.steps[0].startswith("Delete preview/gone (br-")
    assert "git branch gone is gone. Last used " in plan.steps[0]
    assert plan.steps[0].endswith(" a month.")
    assert "by Neon's launch prices, read on 2026-" in plan.steps[1]
    assert plan.steps[2:] == ("Keep preview/kept (git branch kept is gone): it is protected.",)
    ctx.clock = Later(3.01)
    assert sweep(ctx).hash == plan.hash
    assert names(world, store) == ["main", "preview/gone", "preview/kept"]


def test_a_sweep_needs_consent_and_takes_children_first(world: World, shop: str, tmp_path: Path) -> None:
    repository(tmp_path)
    world.call("branch.create", shop, name="preview/a", no_compute=True)
    world.call("branch.create", shop, name="preview/b", parent="preview/a", no_compute=True)
    world.call("branch.create", shop, name="hand-made", no_compute=True)
    done = agreed(context(world, shop, tmp_path))
    assert [(each.branch, each.outcome.value) for each in done.swept] == [
        ("preview/b", "deleted"),
        ("preview/a", "deleted"),
    ]
    assert done.as_text(80).startswith(f"2 of 4 branches of project {shop} swept")
    assert names(world, shop) == ["hand-made", "main"]


def test_what_is_made_by_hand_goes_when_it_is_named(world: World, shop: str, tmp_path: Path) -> None:
    world.call("branch.create", shop, name="x'; drop table users; --", no_compute=True)
    done = agreed(context(world, shop, tmp_path), names=["x'; drop table users; --"])
    assert [each.reasons for each in done.swept] == [("you have named it",)]
    assert names(world, shop) == ["main"]
    with pytest.raises(NotFoundProblem):
        sweep(context(world, shop, tmp_path), names=["no-such"])


def test_one_branch_that_fails_does_not_stop_the_others(world: World, shop: str, tmp_path: Path) -> None:
    repository(tmp_path)
    for name in ("a", "b", "c"):
        world.call("branch.create", shop, name=f"preview/{name}", no_compute=True)
    ctx = context(world, shop, tmp_path)
    with pytest.raises(ConfirmationNeeded) as needed:
        sweep(ctx)
    ctx.confirmation = needed.value.facts["hash"]

    def meanwhile(text: str, _done: float | None) -> None:
        # Between the look at the branches and the deletion, somebody else is at work too.
        if text == "Deleting preview/a":
            world.call("branch.create", shop, name="child", parent="preview/b", no_compute=True)
            world.call("branch.rename", shop, name="preview/c", to="precious")

    ctx.listener = meanwhile
    done = sweep(ctx)
    assert [(each.branch, each.outcome.value) for each in done.swept] == [
        ("preview/a", "deleted"),
        ("preview/b", "failed"),
        ("preview/c", "kept"),
    ]
    assert done.exit_status == 7
    assert names(world, shop) == ["child", "main", "precious", "preview/b"]


def test_nothing_left_over_asks_for_nothing(world: World, shop: str, tmp_path: Path) -> None:
    repository(tmp_path)
    world.call("branch.create", shop, name="preview/new", no_compute=True)
    found = sweep(context(world, shop, tmp_path, days=0))
    assert found.swept == ()
    assert "less than 1d ago" in found.kept[0].because
    assert found.as_text(80).startswith("Nothing to sweep among 2 branches")
