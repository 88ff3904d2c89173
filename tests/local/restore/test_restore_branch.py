"""A branch's data is put in another's place, whole or not at all."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from neondba.core.problem import RemoteProblem
from neondba.local.api.call import Refusal
from neondba.local.state.tables import OperationRow, TimelineRow


def fill(inside, branch_id, *values):
    with inside.sql(branch_id) as session:
        session.execute("create table if not exists t (n int)")
        for value in values:
            session.execute("insert into t values (%s)", [value])


def read(inside, branch_id):
    with inside.sql(branch_id) as session:
        return [row[0] for row in session.execute("select n from t order by n")]


def restore(inside, project_id, branch_id, source, **more):
    body = {"source_branch_id": source, **more}
    made = inside.call("restoreProjectBranch", body, project_id=project_id, branch_id=branch_id)
    inside.settled(project_id)
    return made


def directories(inside, project_id):
    """Give the names of a project's timelines, which must be exactly its directories."""
    with inside.plane.state.read() as rows:
        known = {row.id for row in rows.all(TimelineRow, project_id=project_id)}
        every = {row.id for row in rows.all(TimelineRow)}
    assert {each.name for each in inside.plane.branches.folder.iterdir()} == every
    return known


@pytest.fixture
def shop(inside):
    """A project with a row in main and a child that has one more."""
    made = inside.project()
    project_id, main = made["project"]["id"], made["branch"]["id"]
    fill(inside, main, 1)
    child = inside.branch(project_id, "child")
    fill(inside, child["branch"]["id"], 2)
    return project_id, main, child["branch"]["id"], child["endpoints"][0]["id"]


def test_a_reset_gives_a_branch_its_parents_present_data(inside, shop):
    project_id, main, child, endpoint_id = shop
    fill(inside, main, 3)
    with inside.sql(child) as before:
        made = restore(inside, project_id, child, main)
        with pytest.raises(psycopg.OperationalError):
            before.execute("select 1")
    assert made["branch"]["id"] == child
    assert made["branch"]["parent_id"] == main
    assert made["branch"]["last_reset_at"]
    assert made["branch"]["current_state"] == "ready"
    assert read(inside, child) == [1, 3]
    endpoints = inside.call("listProjectBranchEndpoints", project_id=project_id, branch_id=child)
    assert [(each["id"], each["current_state"]) for each in endpoints["endpoints"]] == [
        (endpoint_id, "active")
    ]
    assert len(directories(inside, project_id)) == 2


@pytest.mark.shows("restore.roles")
def test_a_reset_brings_the_parents_roles_and_databases(inside, shop):
    project_id, main, child, _ = shop
    at_main, at_child = ({"project_id": project_id, "branch_id": each} for each in (main, child))
    inside.call("createProjectBranchRole", {"role": {"name": "late"}}, **at_main)
    inside.settled(project_id)
    inside.call("createProjectBranchRole", {"role": {"name": "own"}}, **at_child)
    inside.settled(project_id)
    inside.call(
        "createProjectBranchDatabase", {"database": {"name": "extra", "owner_name": "own"}}, **at_child
    )
    inside.settled(project_id)
    restore(inside, project_id, child, main)
    roles = inside.call("listProjectBranchRoles", **at_child)["roles"]
    assert {each["name"] for each in roles} == {"neondb_owner", "late"}
    bases = inside.call("listProjectBranchDatabases", **at_child)["databases"]
    assert [each["name"] for each in bases] == ["neondb"]
    passwords = [
        inside.call("getProjectBranchRolePassword", **where, role_name="late")
        for where in (at_main, at_child)
    ]
    assert passwords[0] == passwords[1]


def test_what_a_branch_held_is_preserved_with_its_children(inside, shop):
    project_id, main, child, _ = shop
    grandchild = inside.branch(project_id, "grandchild", parent_id=child, compute=False)["branch"]["id"]
    made = restore(inside, project_id, child, main, preserve_under_name="kept")
    assert read(inside, child) == [1]
    named = {
        each["name"]: each for each in inside.call("listProjectBranches", project_id=project_id)["branches"]
    }
    assert read(inside, named["kept"]["id"]) == [1, 2]
    assert named["kept"]["parent_id"] == main
    assert named["grandchild"]["parent_id"] == named["kept"]["id"]
    assert named["grandchild"]["id"] == grandchild
    assert made["branch"]["parent_id"] == main
    assert len(directories(inside, project_id)) == 4


def test_the_default_branch_takes_a_childs_data_and_stays_the_default(inside, shop):
    project_id, main, child, _ = shop
    made = restore(inside, project_id, main, child, preserve_under_name="before")
    assert made["branch"]["default"] is True
    assert made["branch"]["parent_id"] == child
    assert read(inside, main) == [1, 2]
    named = {
        each["name"]: each for each in inside.call("listProjectBranches", project_id=project_id)["branches"]
    }
    assert named["child"]["parent_id"] == named["before"]["id"]
    assert "parent_id" not in named["before"]


def test_what_may_not_be_restored_is_refused(inside, shop):
    project_id, main, child, _ = shop
    inside.branch(project_id, "below", parent_id=child, compute=False)
    lasting = inside.branch(project_id, "lasting", compute=False, protected=True)["branch"]["id"]
    refused = {
        (child, main): 422,
        (lasting, main): 422,
        (child, "br-none-none-00000000"): 404,
        (child, child): 400,
        ("br-none-none-00000000", main): 404,
    }
    for (branch_id, source), status in refused.items():
        with pytest.raises(Refusal) as refusal:
            restore(inside, project_id, branch_id, source)
        assert refusal.value.status == status, (branch_id, source)
    with pytest.raises(Refusal) as refusal:
        restore(inside, project_id, child, main, preserve_under_name="lasting")
    assert refusal.value.status == 409
    with pytest.raises(Refusal) as refusal:
        restore(inside, project_id, child, main, preserve_under_name="k", source_lsn="nonsense")
    assert refusal.value.status == 400
    assert read(inside, child) == [1, 2]


@pytest.mark.shows("restore.expiry")
def test_a_branch_that_expires_expires_anew_after_a_reset(fresh):
    inside = fresh()
    made = inside.project()
    project_id, main = made["project"]["id"], made["branch"]["id"]
    until = (inside.clock.now() + timedelta(hours=2)).isoformat()
    first = inside.branch(project_id, "short", compute=False, expires_at=until)["branch"]
    inside.clock.ahead = timedelta(hours=1)
    second = restore(inside, project_id, first["id"], main)["branch"]
    assert second["ttl_interval_seconds"] == first["ttl_interval_seconds"]
    assert second["expires_at"] > first["expires_at"]


@pytest.mark.shows("restore.whole")
def test_a_restore_that_fails_leaves_the_branch_as_it_was(inside, shop, monkeypatch):
    project_id, main, child, _ = shop

    def broken(*_):
        raise RemoteProblem("storage-trouble", "The disk is on fire.")

    before = directories(inside, project_id)
    with monkeypatch.context() as patch:
        patch.setattr(inside.plane.history, "make", broken)
        with pytest.raises(Refusal, match="on fire"):
            restore(inside, project_id, child, main, preserve_under_name="kept")
        inside.settled(project_id)
    assert read(inside, child) == [1, 2]
    assert directories(inside, project_id) == before
    shown = inside.call("getProjectBranch", project_id=project_id, branch_id=child)["branch"]
    assert shown["current_state"] == "ready"
    assert "last_reset_at" not in shown


def test_every_step_of_a_restore_may_be_repeated(inside, shop):
    project_id, main, child, _ = shop
    restore(inside, project_id, child, main, preserve_under_name="kept")
    with inside.plane.state.change() as rows:
        found = rows.all(OperationRow, project_id=project_id, branch_id=child)
        for row in found[-3:]:
            row.status = "running"
    inside.plane.worker.kick(project_id)
    inside.settled(project_id)
    assert read(inside, child) == [1]
    names = [each["name"] for each in inside.call("listProjectBranches", project_id=project_id)["branches"]]
    assert sorted(names) == ["child", "kept", "main"]


@pytest.mark.shows("branch.protected-children")
def test_children_of_a_protected_branch_have_passwords_of_their_own(inside):
    made = inside.project()
    project_id, main = made["project"]["id"], made["branch"]["id"]
    inside.call("updateProjectBranch", {"branch": {"protected": True}}, project_id=project_id, branch_id=main)
    child = inside.branch(project_id, "child")["branch"]["id"]

    def password(branch_id):
        where = {"project_id": project_id, "branch_id": branch_id}
        return inside.call("getProjectBranchRolePassword", **where, role_name="neondb_owner")["password"]

    first = password(child)
    assert first != password(main)
    restore(inside, project_id, child, main)
    assert password(child) == first


def moment(inside, branch_id):
    """Give the place in the log where a branch stands, and its time."""
    with inside.sql(branch_id) as session:
        row = session.execute("select pg_current_wal_flush_lsn()::text, clock_timestamp()").fetchone()
    return row[0], row[1].isoformat()


@pytest.mark.shows("restore.preserved")
def test_a_branch_goes_back_to_its_own_past_and_forth_again(inside):
    made = inside.project()
    project_id, main = made["project"]["id"], made["branch"]["id"]
    where = {"project_id": project_id, "branch_id": main}
    fill(inside, main, 1)
    _, before = moment(inside, main)
    fill(inside, main, 2)
    place, _ = moment(inside, main)
    fill(inside, main, 3)
    inside.call("createProjectBranchRole", {"role": {"name": "late"}}, **where)
    inside.settled(project_id)
    first = restore(inside, project_id, main, main, source_timestamp=before, preserve_under_name="one")
    assert read(inside, main) == [1]
    roles = inside.call("listProjectBranchRoles", **where)["roles"]
    assert [each["name"] for each in roles] == ["neondb_owner"]
    kept = first["branch"]["parent_id"]
    assert inside.call("getProjectBranch", project_id=project_id, branch_id=kept)["branch"]["name"] == "one"
    assert read(inside, kept) == [1, 2, 3]
    fill(inside, main, 4)
    restore(inside, project_id, main, kept, source_lsn=place, preserve_under_name="two")
    assert read(inside, main) == [1, 2]
    shown = inside.call("getProjectBranch", **where)["branch"]
    assert shown["parent_id"] == kept
    fill(inside, main, 5)
    assert read(inside, main) == [1, 2, 5]


@pytest.mark.shows("restore.preserved")
def test_what_was_kept_of_a_self_restore_can_be_deleted(inside):
    made = inside.project()
    project_id, main = made["project"]["id"], made["branch"]["id"]
    fill(inside, main, 1)
    _, before = moment(inside, main)
    fill(inside, main, 2)
    made = restore(inside, project_id, main, main, source_timestamp=before, preserve_under_name="kept")
    kept = made["branch"]["parent_id"]
    inside.call("createSnapshot", project_id=project_id, branch_id=main)
    inside.settled(project_id)
    inside.call("deleteProjectBranch", project_id=project_id, branch_id=kept)
    inside.settled(project_id)
    shown = inside.call("getProjectBranch", project_id=project_id, branch_id=main)["branch"]
    assert "parent_id" not in shown
    assert read(inside, main) == [1]


def test_a_point_outside_the_history_is_refused(inside, shop):
    project_id, main, child, _ = shop
    for point in ({"source_timestamp": "2001-01-01T00:00:00Z"}, {"source_lsn": "FF/0"}):
        with pytest.raises(Refusal) as refusal:
            restore(inside, project_id, child, main, **point)
        assert refusal.value.status == 400, point
    with pytest.raises(Refusal, match="preserve_under_name"):
        restore(inside, project_id, child, child, source_lsn="0/1")
