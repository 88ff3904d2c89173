"""Snapshots keep what a root branch held, and give it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from neondba.local.api.call import Refusal
from neondba.local.control import schedules
from neondba.local.state.tables import TimelineRow


@pytest.fixture
def shop(inside):
    """A project with one row, and where its parts are."""
    return opened(inside)


@pytest.fixture
def later(fresh):
    """The same in a local Neon whose clock this test alone moves."""
    return opened(fresh())


def opened(inside):
    made = inside.project()
    branch_id = made["branch"]["id"]
    with inside.sql(branch_id) as session:
        session.execute("create table t as select 1 as n")
    return inside, made["project"]["id"], branch_id, made["endpoints"][0]["id"]


def take(inside, project_id, branch_id, **query):
    made = inside.call("createSnapshot", None, query, project_id=project_id, branch_id=branch_id)
    inside.settled(project_id)
    return made["snapshot"]


def restore(inside, project_id, snapshot, **body):
    where = {"project_id": project_id, "snapshot_id": snapshot["id"]}
    made = inside.call("restoreSnapshot", body, **where)
    inside.settled(project_id)
    return made


def read(inside, branch_id):
    with inside.sql(branch_id) as session:
        return [row[0] for row in session.execute("select n from t order by n")]


def add(inside, branch_id, value):
    with inside.sql(branch_id) as session:
        session.execute("insert into t values (%s)", [value])


def branches(inside, project_id):
    found = inside.call("listProjectBranches", project_id=project_id)["branches"]
    return {each["name"]: each for each in found}


def directories(inside, project_id):
    """Give the names of a project's timelines, which must be exactly the directories there are."""
    with inside.plane.state.read() as rows:
        every = {row.id: row.project_id for row in rows.all(TimelineRow)}
    assert {each.name for each in inside.plane.branches.folder.iterdir()} == set(every)
    return {name for name, owner in every.items() if owner == project_id}


def test_a_snapshot_is_looked_at_in_a_branch_of_its_own(shop):
    inside, project_id, main, _ = shop
    snapshot = take(inside, project_id, main, name="first")
    assert snapshot["name"] == "first"
    assert snapshot["manual"] is True
    assert snapshot["source_branch_id"] == main
    assert snapshot["full_size"] > 1_000_000
    add(inside, main, 2)
    made = restore(inside, project_id, snapshot, name="look")["branch"]
    assert (made["name"], made["restore_status"], made["restored_as"]) == ("look", "restored", main)
    assert made["restored_from"] == snapshot["id"]
    assert "parent_id" not in made
    assert read(inside, made["id"]) == [1]
    assert read(inside, main) == [1, 2]


def test_a_snapshot_takes_its_targets_place_in_one_step(shop):
    inside, project_id, main, endpoint_id = shop
    snapshot = take(inside, project_id, main)
    add(inside, main, 2)
    child = inside.branch(project_id, "child", compute=False)["branch"]["id"]
    with inside.sql(main) as before:
        made = restore(inside, project_id, snapshot, target_branch_id=main, finalize_restore=True)
        with pytest.raises(psycopg.OperationalError):
            before.execute("select 1")
    new = made["branch"]
    assert (new["name"], new["default"], new["restore_status"]) == ("main", True, "finalized")
    assert new["id"] != main
    assert [each["id"] for each in made["endpoints"]] == [endpoint_id]
    found = branches(inside, project_id)
    assert found["main (old)"]["id"] == main
    assert found["main (old)"]["default"] is False
    assert found["child"]["parent_id"] == main
    assert read(inside, new["id"]) == [1]
    assert read(inside, main) == [1, 2]
    assert inside.call("listSnapshots", project_id=project_id)["snapshots"][0]["source_branch_id"] == main
    assert inside.plane.directory.verifier(endpoint_id, "neondb_owner")
    again = restore(inside, project_id, snapshot, target_branch_id=new["id"], finalize_restore=True)
    assert again["branch"]["name"] == "main"
    assert {"main", "main (old)", "main (old) 2", "child"} == set(branches(inside, project_id))
    for branch_id in (child, main):
        inside.call("deleteProjectBranch", project_id=project_id, branch_id=branch_id)
        inside.settled(project_id)


def test_a_look_becomes_the_target_in_a_second_step(shop):
    inside, project_id, main, endpoint_id = shop
    snapshot = take(inside, project_id, main)
    add(inside, main, 2)
    look = restore(inside, project_id, snapshot)["branch"]
    where = {"project_id": project_id, "branch_id": look["id"]}
    own = inside.call("createProjectEndpoint", {"endpoint": {"branch_id": look["id"]}}, project_id=project_id)
    inside.settled(project_id)
    assert inside.call("finalizeRestoreBranch", {"name": "gone by"}, **where)["operations"]
    inside.settled(project_id)
    found = branches(inside, project_id)
    assert found["main"]["id"] == look["id"]
    assert found["gone by"]["id"] == main
    endpoints = inside.call("listProjectEndpoints", project_id=project_id)["endpoints"]
    assert {each["id"]: each["branch_id"] for each in endpoints} == {
        endpoint_id: look["id"],
        own["endpoint"]["id"]: main,
    }
    with pytest.raises(Refusal, match="no restore to finalize"):
        inside.call("finalizeRestoreBranch", **where)


def test_a_snapshot_knows_the_roles_of_its_time_with_the_passwords_of_now(shop):
    inside, project_id, main, _ = shop
    where = {"project_id": project_id, "branch_id": main}
    snapshot = take(inside, project_id, main)
    inside.call("createProjectBranchRole", {"role": {"name": "late"}}, **where)
    inside.settled(project_id)
    new = inside.call("resetProjectBranchRolePassword", **where, role_name="neondb_owner")["role"]["password"]
    inside.settled(project_id)
    made = restore(inside, project_id, snapshot)["branch"]["id"]
    roles = inside.call("listProjectBranchRoles", project_id=project_id, branch_id=made)["roles"]
    assert [each["name"] for each in roles] == ["neondb_owner"]
    shown = inside.call(
        "getProjectBranchRolePassword", project_id=project_id, branch_id=made, role_name="neondb_owner"
    )
    assert shown["password"] == new


def test_a_snapshot_is_renamed_expires_and_leaves_nothing(later):
    inside, project_id, main, _ = later
    until = inside.clock.now() + timedelta(hours=2)
    first = take(inside, project_id, main, expires_at=until.isoformat(), slug="one")
    second = take(inside, project_id, main)
    where = {"project_id": project_id, "snapshot_id": second["id"]}
    named = inside.call("updateSnapshot", {"snapshot": {"name": "mine"}}, **where)["snapshot"]
    assert named == {**second, "name": "mine"}
    assert len(directories(inside, project_id)) == 3
    inside.clock.ahead = timedelta(hours=2, seconds=1)
    inside.plane.sweeper.keep()
    inside.settled(project_id)
    found = inside.call("listSnapshots", project_id=project_id)["snapshots"]
    assert [each["id"] for each in found] == [second["id"]]
    assert first["slug"] == "one"
    inside.call("deleteSnapshot", **where)
    inside.settled(project_id)
    assert directories(inside, project_id) == {main}


def test_what_cannot_be_a_snapshot_is_refused(shop):
    inside, project_id, main, _ = shop
    child = inside.branch(project_id, "child", compute=False)["branch"]["id"]
    with pytest.raises(Refusal, match="root branches"):
        take(inside, project_id, child)
    for query in ({"lsn": "x"}, {"expires_at": "2001-01-01T00:00:00Z"}, {"slug": "Big"}):
        with pytest.raises(Refusal) as refusal:
            take(inside, project_id, main, **query)
        assert refusal.value.status == 400, query
    with pytest.raises(Refusal) as refusal:
        inside.call("deleteSnapshot", project_id=project_id, snapshot_id="snap-none")
    assert refusal.value.status == 404


@pytest.mark.shows("snapshot.size")
def test_a_schedule_takes_snapshots_and_drops_them(later):
    inside, project_id, main, _ = later
    where = {"project_id": project_id, "branch_id": main}
    assert inside.call("getSnapshotSchedule", **where) == {"schedule": []}
    items = [
        {"frequency": "daily", "hour": 3, "retention_seconds": 7200},
        {"frequency": "hourly", "retention_seconds": 3600},
    ]
    assert inside.call("setSnapshotSchedule", {"schedule": items}, **where) == {}
    shown = inside.call("getSnapshotSchedule", **where)["schedule"]
    assert shown == items
    inside.plane.sweeper.keep()
    assert inside.call("listSnapshots", project_id=project_id)["snapshots"] == []
    three = (inside.clock.now() + timedelta(days=1)).replace(hour=3, minute=0, second=5, microsecond=0)

    def at(moment):
        inside.clock.ahead += moment - inside.clock.now()
        inside.plane.sweeper.keep()
        inside.settled(project_id)
        inside.plane.sweeper.keep()
        inside.settled(project_id)
        return inside.call("listSnapshots", project_id=project_id)["snapshots"]

    (both,) = at(three)
    assert both["manual"] is False
    assert both["full_size"] > 0
    assert datetime.fromisoformat(both["expires_at"]) >= three + timedelta(hours=2)
    found = at(three + timedelta(hours=1))
    assert len(found) == 2
    assert "full_size" not in found[0]
    assert found[0]["diff_size"] >= 0
    assert len(at(three + timedelta(hours=2, minutes=5))) == 1
    inside.call("setSnapshotSchedule", {"schedule": []}, **where)
    assert at(three + timedelta(days=2)) == []


@pytest.mark.parametrize(
    ("item", "now", "turn"),
    [
        ({"frequency": "hourly"}, "2026-02-28T10:30", "2026-02-28T10:00"),
        ({"frequency": "daily", "hour": 11}, "2026-02-28T10:30", "2026-02-27T11:00"),
        ({"frequency": "weekly", "day": 1}, "2026-11-22T10:30", "2026-11-16T00:00"),
        ({"frequency": "weekly", "day": 7, "hour": 11}, "2026-11-22T10:30", "2026-11-15T11:00"),
        ({"frequency": "monthly", "day": 31}, "2026-03-01T10:30", "2026-02-28T00:00"),
        ({"frequency": "yearly", "month": 2, "day": 29}, "2028-02-29T00:00", "2028-02-29T00:00"),
        ({"frequency": "yearly", "month": 12}, "2026-11-22T00:00", "2025-12-01T00:00"),
    ],
)
def test_an_entry_is_due_at_its_last_turn(item, now, turn):
    moment, last = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (now, turn))
    assert schedules.due([item], last - timedelta(seconds=1), moment) == [item]
    assert schedules.due([item], last, moment) == []


def test_a_schedule_that_makes_no_sense_is_refused(shop):
    inside, project_id, main, _ = shop
    wrong = (
        [{"frequency": "minutely"}],
        [{"frequency": "weekly", "day": 8}],
        [{"frequency": "daily", "hour": 24}],
        [{"frequency": "daily", "retention_seconds": 60}],
        "daily",
    )
    for schedule in wrong:
        with pytest.raises(Refusal) as refusal:
            inside.call("setSnapshotSchedule", {"schedule": schedule}, project_id=project_id, branch_id=main)
        assert refusal.value.status == 400, schedule
