"""Computes that wake, sleep and die by themselves, and the limits on them."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta

import psycopg
import pytest

from neondba.core.problem import ConflictProblem, RemoteProblem
from neondba.local.api.call import Refusal
from neondba.local.control import naps


@pytest.fixture(scope="module")
def made(inside):
    found = inside.project()
    return found["project"]["id"], found["branch"]["id"], found["endpoints"][0]["id"]


@pytest.fixture
def moved(inside):
    """The clock, set back afterwards."""
    yield inside.clock
    inside.clock.ahead = timedelta()


def _do(inside, made, name, body=None):
    shown = inside.call(name, body or {}, project_id=made[0], endpoint_id=made[2])
    inside.settled(made[0])
    return shown


def _shown(inside, made):
    return inside.call("getProjectEndpoint", project_id=made[0], endpoint_id=made[2])["endpoint"]


def _later(inside, seconds):
    inside.clock.ahead += timedelta(seconds=seconds)
    return inside.plane.sweeper.suspend()


def test_start_and_suspend_may_be_said_twice(inside, made):
    for name, state in (("suspendProjectEndpoint", "idle"), ("startProjectEndpoint", "active")):
        for _ in range(2):
            _do(inside, made, name)
            assert _shown(inside, made)["current_state"] == state


def test_a_restart_is_another_process(inside, made):
    before = inside.plane.computes.start(made[1]).process.pid
    _do(inside, made, "restartProjectEndpoint")
    assert inside.plane.computes.start(made[1]).process.pid != before


@pytest.mark.shows("compute.disabled")
def test_a_disabled_endpoint_sleeps_and_lets_nobody_in(inside, made):
    _do(inside, made, "updateProjectEndpoint", {"endpoint": {"disabled": True}})
    assert _shown(inside, made)["current_state"] == "idle"
    with pytest.raises(ConflictProblem, match="has been disabled"):
        inside.plane.directory.verifier(made[2], "neondb_owner")
    with pytest.raises(Refusal, match="disabled"):
        _do(inside, made, "startProjectEndpoint")
    _do(inside, made, "updateProjectEndpoint", {"endpoint": {"disabled": False}})
    assert inside.plane.directory.verifier(made[2], "neondb_owner")


@pytest.mark.shows("api.operations")
def test_a_wake_and_a_sleep_by_themselves_are_shown_as_neon_shows_them(inside, made, moved):
    _do(inside, made, "suspendProjectEndpoint")
    assert inside.plane.directory.verifier(made[2], "neondb_owner")
    awake = _shown(inside, made)
    assert "suspended_at" not in awake
    assert awake["compute_release_version"]
    assert _later(inside, 301) == [made[1]]
    asleep = _shown(inside, made)
    assert asleep["started_at"] == awake["started_at"]
    assert asleep["suspended_at"] > asleep["last_active"]
    found = inside.call("listProjectOperations", project_id=made[0])["operations"][:2]
    assert [(each["action"], each["status"]) for each in found] == [
        ("suspend_compute", "finished"),
        ("start_compute", "finished"),
    ]


@pytest.mark.parametrize(
    ("timeout", "seconds", "sleeps"), [(-1, 10**6, False), (60, 61, True), (600, 301, False)]
)
def test_a_suspend_timeout_is_kept(inside, made, moved, timeout, seconds, sleeps):
    _do(inside, made, "updateProjectEndpoint", {"endpoint": {"suspend_timeout_seconds": timeout}})
    assert inside.plane.directory.verifier(made[2], "neondb_owner")
    assert (_later(inside, seconds) == [made[1]]) is sleeps
    _do(inside, made, "updateProjectEndpoint", {"endpoint": {"suspend_timeout_seconds": 0}})


@pytest.mark.shows("compute.suspend")
def test_a_client_that_idles_does_not_keep_a_compute_awake_and_an_open_transaction_does(inside, made, moved):
    directory = inside.plane.directory
    assert directory.verifier(made[2], "neondb_owner")
    compute = inside.plane.computes.running(made[1])
    with inside.sql(made[1]) as connection:
        connection.execute("select 1")
        assert compute.sessions_at_work(0) == 0
        assert compute.sessions_at_work(600) == 1
        connection.execute("begin")
        assert compute.sessions_at_work(0) == 1
        assert _later(inside, 3600) == []


@pytest.mark.shows("compute.dies")
def test_a_compute_that_is_killed_wakes_for_the_next_client(inside, made):
    for number in (signal.SIGKILL, signal.SIGQUIT):
        killed = inside.plane.computes.start(made[1])
        with inside.sql(made[1]) as connection:
            connection.execute("create table if not exists kept as select 1 as one")
        os.kill(killed.process.pid, number)
        killed.process.wait(30)
        assert inside.plane.directory.verifier(made[2], "neondb_owner")
        with inside.sql(made[1]) as connection:
            assert connection.execute("select one from kept").fetchone() == (1,)


def test_a_backend_that_is_killed_ends_the_compute_and_the_next_client_wakes_it(inside, made):
    compute = inside.plane.computes.start(made[1])
    connection = inside.sql(made[1])
    os.kill(connection.info.backend_pid, signal.SIGKILL)
    compute.process.wait(30)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    connection.close()
    assert inside.plane.directory.verifier(made[2], "neondb_owner")


def test_an_endpoint_that_is_deleted_ends_its_connections_and_keeps_the_data(inside, made):
    branch = inside.branch(made[0], "headless")
    mine = (made[0], branch["branch"]["id"], branch["endpoints"][0]["id"])
    with inside.sql(mine[1]) as connection:
        connection.execute("create table mine as select 1 as one")
        _do(inside, mine, "deleteProjectEndpoint")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    body = {"endpoint": {"branch_id": mine[1], "type": "read_write"}}
    inside.call("createProjectEndpoint", body, project_id=made[0])
    inside.settled(made[0])
    with inside.sql(mine[1]) as connection:
        assert connection.execute("select one from mine").fetchone() == (1,)
    with pytest.raises(Refusal, match="already exists"):
        inside.call("createProjectEndpoint", body, project_id=made[0])


def test_a_storm_of_clients_wakes_a_compute_once(inside, made):
    _do(inside, made, "suspendProjectEndpoint")
    found = []
    storm = [
        threading.Thread(
            target=lambda: found.append(inside.plane.directory.verifier(made[2], "neondb_owner"))
        )
        for _ in range(40)
    ]
    for each in storm:
        each.start()
    for each in storm:
        each.join()
    assert len(found) == 40
    operations = inside.call("listProjectOperations", project_id=made[0])["operations"]
    assert [each["action"] for each in operations[:2]] == ["start_compute", "suspend_compute"]


@pytest.mark.shows("compute.active-limit")
def test_one_compute_too_many_stays_asleep_but_the_default_branchs_wakes(inside, made, monkeypatch):
    monkeypatch.setattr(naps, "MOST_ACTIVE", 1)
    branches = [inside.branch(made[0], f"busy-{number}") for number in (1, 2)]
    ends = [(made[0], each["branch"]["id"], each["endpoints"][0]["id"]) for each in branches]
    _do(inside, made, "suspendProjectEndpoint")
    states = [_shown(inside, each)["current_state"] for each in ends]
    assert states.count("active") <= 1
    for each in ends:
        _do(inside, each, "suspendProjectEndpoint")
    for name in inside.plane.computes.awake():
        inside.plane.computes.stop(name)
    assert inside.plane.directory.verifier(ends[0][2], "neondb_owner")
    with pytest.raises(ConflictProblem, match="limit of concurrently active endpoints"):
        inside.plane.directory.verifier(ends[1][2], "neondb_owner")
    with pytest.raises(Refusal) as refused:
        _do(inside, ends[1], "startProjectEndpoint")
    assert (refused.value.status, refused.value.message) == (402, "active endpoints limit exceeded")
    assert inside.plane.directory.verifier(made[2], "neondb_owner")


def test_a_long_log_begins_anew(inside, made):
    compute = inside.plane.computes.start(made[1])
    os.truncate(compute.place.log, (8 << 20) + 1)
    inside.plane.sweeper.trim()
    with inside.sql(made[1]) as connection:
        connection.execute("select 1")
    assert 0 < compute.place.log.stat().st_size < 1 << 20


def test_a_compute_that_cannot_start_says_what_stops_it(inside):
    branch = inside.project()["branch"]["id"]
    timeline = inside.timeline(branch)
    inside.plane.computes.stop(timeline)
    segments = list((inside.folder / "branches" / timeline / "data" / "pg_wal").glob("0*"))
    for segment in segments:
        segment.rename(segment.with_suffix(".away"))
    with pytest.raises(RemoteProblem, match="could not locate a valid checkpoint record"):
        inside.plane.computes.start(timeline)
    for segment in segments:
        segment.with_suffix(".away").rename(segment)
    assert inside.plane.computes.start(timeline).alive()
