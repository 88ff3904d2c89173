"""What was deleted can be brought back for a week, and is gone afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from neondba.local.api import space
from neondba.local.api.call import Refusal


@pytest.fixture
def shop(inside):
    """A project with a branch that has one row."""
    return opened(inside)


@pytest.fixture
def later(fresh):
    """The same in a local Neon of this test alone, whose clock it may move."""
    return opened(fresh())


def opened(inside):
    made = inside.project()
    project_id = made["project"]["id"]
    dev = inside.branch(project_id, "dev")
    with inside.sql(dev["branch"]["id"]) as session:
        session.execute("create table t as select 1 as n")
    return inside, project_id, dev["branch"]["id"], dev["endpoints"][0]["id"]


def delete(inside, project_id, branch_id, **query):
    inside.call("deleteProjectBranch", None, query, project_id=project_id, branch_id=branch_id)
    inside.settled(project_id)


def names(inside, project_id, **query):
    found = inside.call("listProjectBranches", None, query, project_id=project_id)["branches"]
    return {each["name"]: each for each in found}


def test_a_deleted_branch_sleeps_hidden_and_comes_back_whole(shop):
    inside, project_id, dev, endpoint_id = shop
    where = {"project_id": project_id, "branch_id": dev}
    delete(inside, project_id, dev)
    assert inside.plane.computes.running(dev) is None
    assert not inside.plane.directory.knows(endpoint_id)
    assert set(names(inside, project_id)) == {"main"}
    recovery = names(inside, project_id, include_deleted="true")["dev"]["recovery"]
    assert recovery["deletion_method"] == "user"
    assert recovery["deleted_at"] < recovery["recoverable_until"]
    with pytest.raises(Refusal) as refusal:
        inside.call("getProjectBranch", **where)
    assert refusal.value.status == 404
    made = inside.call("recoverProjectBranch", **where)
    assert [(each["id"], each["current_state"]) for each in made["endpoints"]] == [(endpoint_id, "idle")]
    assert "recovery" not in made["branch"]
    assert inside.plane.directory.verifier(endpoint_id, "neondb_owner")
    with inside.sql(dev) as session:
        assert session.execute("select n from t").fetchone() == (1,)
    with pytest.raises(Refusal, match="not deleted"):
        inside.call("recoverProjectBranch", **where)


def test_a_deleted_branch_is_gone_after_seven_days(later):
    inside, project_id, dev, _ = later
    delete(inside, project_id, dev)
    inside.clock.ahead = timedelta(days=7, seconds=-10)
    inside.plane.sweeper.keep()
    inside.settled(project_id)
    assert inside.plane.branches.exists(dev)
    inside.clock.ahead = timedelta(days=7, seconds=10)
    inside.plane.sweeper.keep()
    inside.settled(project_id)
    assert not inside.plane.branches.exists(dev)
    assert set(names(inside, project_id, include_deleted="true")) == {"main"}
    with pytest.raises(Refusal) as refusal:
        inside.call("recoverProjectBranch", project_id=project_id, branch_id=dev)
    assert refusal.value.status == 404


def test_a_branch_deleted_for_good_or_about_to_expire_leaves_nothing(shop):
    inside, project_id, dev, _ = shop
    until = (inside.clock.now() + timedelta(hours=1)).isoformat()
    short = inside.branch(project_id, "short", compute=False, expires_at=until)["branch"]["id"]
    delete(inside, project_id, dev, hard_delete="true")
    delete(inside, project_id, short)
    assert not inside.plane.branches.exists(dev)
    assert not inside.plane.branches.exists(short)


def test_a_deleted_branch_goes_early_when_the_disk_is_full(later, monkeypatch):
    inside, project_id, dev, _ = later
    delete(inside, project_id, dev)
    with monkeypatch.context() as patch:
        patch.setattr(space, "SPARE", 1 << 60)
        with pytest.raises(Refusal, match="being removed now, try again") as refusal:
            inside.branch(project_id, "more", compute=False)
        assert refusal.value.status == 507
    inside.plane.sweeper.keep()
    inside.settled(project_id)
    assert not inside.plane.branches.exists(dev)
    assert not inside.plane.sweeper.make_room()


def test_a_name_or_parent_that_is_gone_stands_in_the_way(shop):
    inside, project_id, dev, _ = shop
    below = inside.branch(project_id, "below", parent_id=dev, compute=False)["branch"]["id"]
    delete(inside, project_id, below)
    delete(inside, project_id, dev)
    with pytest.raises(Refusal, match="recover it first"):
        inside.call("recoverProjectBranch", project_id=project_id, branch_id=below)
    inside.branch(project_id, "dev", compute=False)
    with pytest.raises(Refusal) as refusal:
        inside.call("recoverProjectBranch", project_id=project_id, branch_id=dev)
    assert refusal.value.status == 409


def test_a_deleted_project_comes_back_with_its_branches(later):
    inside, project_id, _, endpoint_id = later
    gone = inside.branch(project_id, "gone")["branch"]["id"]
    delete(inside, project_id, gone)
    inside.call("deleteProject", project_id=project_id)
    inside.settled(project_id)
    assert inside.plane.computes.awake() == []
    assert inside.call("listProjects")["projects"] == []
    (listed,) = inside.call("listProjects", None, {"recoverable": "true"})["projects"]
    assert listed["deleted_at"] < listed["recoverable_until"]
    with pytest.raises(Refusal) as refusal:
        inside.call("getProject", project_id=project_id)
    assert refusal.value.status == 404
    made = inside.call("recoverProject", project_id=project_id)
    assert {each["name"] for each in made["branches"]} == {"main", "dev"}
    assert inside.plane.directory.verifier(endpoint_id, "neondb_owner")
    assert inside.call("listProjects", None, {"recoverable": "true"})["projects"] == []
    with pytest.raises(Refusal, match="not deleted"):
        inside.call("recoverProject", project_id=project_id)


def test_a_deleted_project_is_gone_after_seven_days(later):
    inside, project_id, _, _ = later
    inside.call("deleteProject", project_id=project_id)
    inside.settled(project_id)
    inside.clock.ahead = timedelta(days=7, seconds=10)
    inside.plane.sweeper.keep()
    inside.settled(project_id)
    assert list(inside.plane.branches.folder.iterdir()) == []
    with pytest.raises(Refusal) as refusal:
        inside.call("recoverProject", project_id=project_id)
    assert refusal.value.status == 404


def test_a_proofs_own_project_is_gone_at_once(fresh):
    inside = fresh()
    made = inside.call("createProject", {"project": {"name": "neondba-isolation-0123abcd"}})["project"]["id"]
    inside.settled(made)
    inside.call("deleteProject", project_id=made)
    inside.settled(made)
    assert list(inside.plane.branches.folder.iterdir()) == []


@pytest.mark.shows("branch.archive")
def test_a_branch_that_nobody_uses_is_archived_until_somebody_does(later):
    inside, project_id, dev, endpoint_id = later
    inside.plane.computes.stop(dev)
    for days, states in ((13, {"ready"}), (15, {"archived"})):
        inside.clock.ahead = timedelta(days=days)
        for name in inside.plane.computes.awake():
            inside.plane.computes.stop(name)
        inside.plane.sweeper.keep()
        inside.settled(project_id)
        inside.plane.sweeper.keep()
        inside.settled(project_id)
        assert {each["current_state"] for each in names(inside, project_id).values()} == states
    assert inside.plane.directory.verifier(endpoint_id, "neondb_owner")
    inside.plane.sweeper.keep()
    inside.settled(project_id)
    assert {each["current_state"] for each in names(inside, project_id).values()} == {"ready"}


def test_branches_are_listed_in_any_order_page_by_page(inside):
    project_id = inside.project()["project"]["id"]
    for name in ("beta", "alpha", "Gamma"):
        inside.branch(project_id, name, compute=False)
    query = {"sort_by": "name", "sort_order": "asc", "limit": "2"}
    seen = []
    while True:
        page = inside.call("listProjectBranches", None, query, project_id=project_id)
        seen += [each["name"] for each in page["branches"]]
        if "next" not in page["pagination"]:
            break
        query["cursor"] = page["pagination"]["next"]
    assert seen == ["Gamma", "alpha", "beta", "main"]
    assert inside.call("countProjectBranches", None, {"search": "A"}, project_id=project_id) == {"count": 4}
    assert inside.call("countProjectBranches", None, {"search": "gam"}, project_id=project_id) == {"count": 1}
    for wrong in ({"cursor": "x"}, {"sort_by": "size"}, {"sort_order": "up"}):
        with pytest.raises(Refusal) as refusal:
            inside.call("listProjectBranches", None, wrong, project_id=project_id)
        assert refusal.value.status == 400, wrong
