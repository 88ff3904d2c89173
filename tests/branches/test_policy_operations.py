"""The policy against branches of a local Neon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from neon_world import World

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.plan import Plan
from neondba.core.problem import ConfirmationNeeded, NotFoundProblem

POLICY = """
[branches."@default"]
protected = true
[branches."preview/*"]
expires = "7d"
parent = "main"
[branches."dev/*"]
max-cu = 0.5
suspend = "10m"
"""


def there(world: World, store: str, folder: Path) -> Context:
    ctx = world.context(store)
    ctx.folder = folder
    return ctx


def call(ctx: Context, name: str, /, **arguments: Any) -> Any:
    return capabilities.load()[name].call(ctx, arguments)


def agreed(ctx: Context, name: str) -> Any:
    try:
        return call(ctx, name)
    except ConfirmationNeeded as needed:
        ctx.confirmation = needed.facts["hash"]
        return call(ctx, name)


def test_only_what_differs_is_changed_and_then_nothing_differs(
    world: World, store: str, tmp_path: Path
) -> None:
    (tmp_path / "neondba.toml").write_text(POLICY)
    world.call("branch.create", store, name="dev/anna")
    world.call("branch.create", store, name="preview/x", no_compute=True)
    world.call("branch.create", store, name="by-hand", no_compute=True)
    ctx = there(world, store, tmp_path)
    report = call(ctx, "policy.check")
    assert {(each.branch, each.setting) for each in report.differences} == {
        ("main", "protected"),
        ("dev/anna", "compute"),
        ("dev/anna", "suspend"),
        ("preview/x", "expires"),
    }
    assert "preview/x: expires is never, wanted within 7d." in report.as_text(80)
    done = agreed(ctx, "policy.apply")
    assert [each.refused for each in done.changed] == [None] * 4
    assert call(ctx, "policy.check").differences == ()
    assert call(ctx, "policy.apply").changed == ()
    by_name = {each.name: each for each in world.call("branch.list", store).branches}
    assert by_name["main"].protected
    assert timedelta(days=6) < by_name["preview/x"].expires_at - datetime.now(UTC) <= timedelta(days=7)
    assert by_name["by-hand"].expires_at is None
    with world.client() as client:
        computes = client.endpoints(client.find_project(store).id, by_name["dev/anna"].id)
    (compute,) = computes
    assert (compute.autoscaling_limit_max_cu, compute.suspend_timeout_seconds) == (0.5, 600)


def test_the_plan_names_each_change_and_waits_for_consent_where_a_default_branch_is_touched(
    world: World, store: str, tmp_path: Path
) -> None:
    (tmp_path / "neondba.toml").write_text(POLICY)
    ctx = there(world, store, tmp_path)
    with pytest.raises(ConfirmationNeeded):
        call(ctx, "policy.apply")
    ctx.dry_run = True
    plan = call(ctx, "policy.apply")
    assert isinstance(plan, Plan)
    assert (plan.steps, plan.target.protected) == (("Protect main.",), True)


def test_a_branch_that_is_to_be_protected_no_longer_expires(world: World, store: str, tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text("[branches.keep]\nprotected = true")
    world.call("branch.create", store, name="keep", no_compute=True, expires="3h")
    done = agreed(there(world, store, tmp_path), "policy.apply")
    assert [(each.setting, each.refused) for each in done.changed] == [("expires", None), ("protected", None)]
    (kept,) = [each for each in world.call("branch.list", store).branches if each.name == "keep"]
    assert (kept.protected, kept.expires_at) == (True, None)


def test_what_cannot_be_changed_is_named_with_the_reason(world: World, shop: str, tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text('[branches."dev/*"]\nparent = "stage"\nexpires = "1d"')
    world.call("branch.create", shop, name="stage", no_compute=True)
    world.call("branch.create", shop, name="dev/a", no_compute=True)
    world.call("branch.create", shop, name="leaf", parent="dev/a", no_compute=True)
    applied = call(there(world, shop, tmp_path), "policy.apply")
    assert applied.changed == ()
    assert [each.setting for each in applied.left] == ["expires", "parent"]
    text = applied.as_text(80)
    assert "It has branches of its own: leaf." in text
    assert "parent is main, wanted stage. A branch keeps its parent" in text


def test_a_parent_that_no_branch_is_called_is_named_with_the_nearest(
    world: World, shop: str, tmp_path: Path
) -> None:
    (tmp_path / "neondba.toml").write_text('[branches."preview/*"]\nparent = "mian"')
    world.call("branch.create", shop, name="preview/a", no_compute=True)
    (found,) = call(there(world, shop, tmp_path), "policy.check").differences
    assert (found.branch, found.note) == ("preview/*", "There is no branch mian. Did you mean main?")


def test_one_refusal_does_not_stop_the_other_changes(world: World, shop: str, tmp_path: Path) -> None:
    (tmp_path / "neondba.toml").write_text('[branches."dev/*"]\nmax-cu = 0.3\nexpires = "1d"')
    world.call("branch.create", shop, name="dev/a")
    applied = call(there(world, shop, tmp_path), "policy.apply")
    assert [(each.setting, each.refused is None) for each in applied.changed] == [
        ("expires", True),
        ("compute", False),
    ]
    assert applied.exit_status == 7
    assert "refused  dev/a: compute" in applied.as_text(80)


def test_a_project_without_a_policy_says_how_to_write_one(world: World, shop: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(NotFoundProblem) as caught:
        call(there(world, shop, tmp_path), "policy.check")
    assert "[tool.neondba.branches" in str(caught.value.hint)


def test_a_new_branch_has_the_parent_and_expiry_that_its_pattern_gives(
    world: World, shop: str, tmp_path: Path
) -> None:
    (tmp_path / "neondba.toml").write_text('[branches."dev/*"]\nparent = "stage"\nexpires = "2d"')
    world.call("branch.create", shop, name="stage", no_compute=True)
    made = call(there(world, shop, tmp_path), "branch.create", name="dev/a", no_compute=True)
    assert made.parent == "stage"
    assert made.expires_at - datetime.now(UTC) <= timedelta(days=2)
    other = call(there(world, shop, tmp_path), "branch.create", name="dev/b", parent="main", no_compute=True)
    assert other.parent == "main"
