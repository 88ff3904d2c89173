"""Projects and branches on a local Neon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from neon_world import World

from neondba import capabilities
from neondba.core.plan import Plan
from neondba.core.problem import (
    ArgumentProblem,
    ConfirmationNeeded,
    ConflictProblem,
    NotFoundProblem,
    Problem,
)


def test_a_new_project_has_a_branch_a_database_and_its_owner(world: World, shop: str) -> None:
    (line,) = world.call("project.list").projects
    assert (line.name, line.postgres) == (shop, 18)
    (main,) = world.call("branch.list", shop).branches
    assert (main.name, main.parent, main.default, main.state) == ("main", None, True, "ready")
    assert main.host


def test_the_only_project_is_used_and_named(world: World, shop: str) -> None:
    assert world.call("branch.list").project == shop
    assert world.said == [f"Using project {shop}: it is the only one."]


def test_of_several_projects_none_is_guessed(world: World, shop: str) -> None:
    world.call("project.create", name="another")
    with pytest.raises(ArgumentProblem, match=f"none is chosen: another, {shop}"):
        world.call("branch.list")
    assert world.call("branch.list", "another").project == "another"
    with pytest.raises(ConflictProblem, match="called another is there already"):
        world.call("project.create", name="another")
    assert world.call("project.delete", name="another").name == "another"
    assert world.call("branch.list").project == shop


def test_a_project_is_made_in_the_region_and_on_the_major_that_were_asked_for(
    world: World, shop: str
) -> None:
    made = world.call("project.create", name="far", region="aws-eu-central-1", pg_version=18)
    assert (made.region, made.postgres) == ("aws-eu-central-1", 18)
    with pytest.raises(Problem, match="region_id must be one of aws-us-east-1"):
        world.call("project.create", name="nowhere", region="eu")
    with pytest.raises(Problem, match="14"):
        world.call("project.create", name="nowhere", pg_version=14)
    assert {each.name for each in world.call("project.list").projects} == {shop, "far"}
    world.call("project.delete", name="far")


def test_a_throwaway_left_by_a_killed_proof_is_never_the_project_that_is_meant(
    world: World, shop: str
) -> None:
    left = "neondba-rehearse-0123abcd"
    world.call("project.create", name=left)
    assert world.call("branch.list").project == shop
    world.call("project.delete", name=left)


def test_a_branch_carries_its_expiry_and_no_secret(world: World, shop: str) -> None:
    made = world.call("branch.create", shop, name="dev", expires="3h")
    assert (made.parent, made.project) == ("main", shop)
    ahead = made.expires_at - datetime.now(UTC)
    assert timedelta(hours=2, minutes=59) < ahead <= timedelta(hours=3)
    assert "npg_" not in made.model_dump_json()
    assert "postgresql://" not in made.model_dump_json()


def test_a_branch_without_compute_has_no_host(world: World, shop: str) -> None:
    assert world.call("branch.create", shop, name="cold", no_compute=True).host is None


def test_a_branch_of_a_missing_parent_is_refused(world: World, shop: str) -> None:
    with pytest.raises(NotFoundProblem, match=f"no branch gone in project {shop}"):
        world.call("branch.create", shop, name="dev", parent="gone")


def test_a_second_branch_of_the_same_name_is_refused(world: World, shop: str) -> None:
    world.call("branch.create", shop, name="dev", no_compute=True)
    with pytest.raises(ConflictProblem, match="has a branch dev already"):
        world.call("branch.create", shop, name="dev")


def test_a_branch_with_children_is_kept(world: World, shop: str) -> None:
    world.call("branch.create", shop, name="dev", no_compute=True)
    world.call("branch.create", shop, name="leaf", parent="dev", no_compute=True)
    with pytest.raises(ConflictProblem, match="has 1 of its own: leaf"):
        world.call("branch.delete", shop, name="dev")
    world.call("branch.delete", shop, name="leaf")
    assert world.call("branch.delete", shop, name="dev").name == "dev"
    assert [each.name for each in world.call("branch.list", shop).branches] == ["main"]


def test_nothing_is_deleted_without_consent(world: World, shop: str) -> None:
    ctx = world.context(shop)
    with pytest.raises(ConfirmationNeeded) as caught:
        capabilities.load()["project.delete"].call(ctx, {"name": shop})
    assert "all their data: main" in caught.value.facts["plan"]["steps"][1]
    assert [each.name for each in world.call("project.list").projects] == [shop]


def test_a_dry_run_changes_nothing(world: World, shop: str) -> None:
    ctx = world.context(shop)
    ctx.dry_run = True
    plan = capabilities.load()["branch.create"].call(ctx, {"name": "dev", "expires": "1d12h"})
    assert isinstance(plan, Plan)
    assert plan.steps[-1] == "Neon deletes dev after 1d12h."
    assert len(world.call("branch.list", shop).branches) == 1
