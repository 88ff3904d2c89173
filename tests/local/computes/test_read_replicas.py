"""Read replicas: they follow, sleep and wake by themselves, and go with their branch."""

from __future__ import annotations

import os
import signal
import threading
import time

import psycopg
import pytest


@pytest.fixture(scope="module")
def made(inside):
    found = inside.project()
    return found["project"]["id"], found["branch"]["id"]


@pytest.fixture
def replica(inside, made):
    project_id, branch_id = made
    found = _replica(inside, project_id, branch_id)
    yield found
    inside.call("deleteProjectEndpoint", project_id=project_id, endpoint_id=found)
    inside.settled(project_id)
    inside.plane.replicas.sweep()


def _replica(inside, project_id, branch_id, **more):
    body = {"endpoint": {"branch_id": branch_id, "type": "read_only", **more}}
    found = inside.call("createProjectEndpoint", body, project_id=project_id)["endpoint"]["id"]
    inside.settled(project_id)
    return found


def _reads(inside, name, statement):
    """Ask a replica past the proxy."""
    place = inside.plane.computes.start(name).place.sockets
    with psycopg.connect(host=str(place), user="neondb_owner", dbname="neondb") as connection:
        return connection.execute(statement).fetchone()[0]


def _until(inside, name, statement, value):
    deadline = time.monotonic() + 60
    while (found := _reads(inside, name, statement)) != value:
        assert time.monotonic() < deadline, f"still {found}"


def _write(inside, branch_id, statement):
    with inside.sql(branch_id) as connection:
        connection.execute(statement)


@pytest.mark.shows("compute.replicas")
def test_a_replica_shows_what_its_branch_is_told_and_takes_no_writes(inside, made, replica):
    _write(inside, made[1], "create table seen as select 7 as one")
    _until(inside, replica, "select count(*) from pg_class where relname = 'seen'", 1)
    assert _reads(inside, replica, "select one from seen") == 7
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        _reads(inside, replica, "insert into seen values (8) returning one")


def test_a_replica_wakes_with_what_was_written_while_it_and_its_primary_slept(inside, made, replica):
    computes = inside.plane.computes
    computes.stop(replica)
    _write(inside, made[1], "create table later as select generate_series(1, 400000) as one")
    computes.stop(made[1])
    assert _reads(inside, replica, "select count(*) from later") == 400000
    assert computes.running(made[1]) is None
    _write(inside, made[1], "insert into later values (1)")
    _until(inside, replica, "select count(*) from later", 400001)


def test_a_replica_whose_log_is_gone_is_cloned_again(inside, made, replica):
    computes, plane = inside.plane.computes, inside.plane
    computes.stop(replica)
    _write(inside, made[1], "create table again as select 1 as one")
    computes.stop(made[1])
    for folder in (plane.history.archive(made[1]).wal, plane.branches.data(made[1]) / "pg_wal"):
        for segment in sorted(folder.glob("0000*"))[:-1]:
            if folder.name == "wal" or segment.name < max(each.name for each in folder.glob("0000*")):
                segment.unlink()
    assert _reads(inside, replica, "select one from again") == 1


def test_replicas_are_many_with_names_and_sizes_of_their_own(inside, made):
    project_id, branch_id = made
    inside.plane.computes.start(branch_id)
    two = [_replica(inside, project_id, branch_id, autoscaling_limit_max_cu=cu) for cu in (0.25, 2)]
    assert [_reads(inside, name, "show max_connections") for name in two] == ["104", "839"]
    kinds = [
        each["type"]
        for each in inside.call("listProjectBranchEndpoints", project_id=project_id, branch_id=branch_id)[
            "endpoints"
        ]
    ]
    assert kinds.count("read_only") == 2
    for name in two:
        inside.call("deleteProjectEndpoint", project_id=project_id, endpoint_id=name)
        inside.settled(project_id)
    inside.plane.replicas.sweep()
    assert not any(inside.plane.branches.exists(name) for name in two)
    assert inside.plane.computes.running(branch_id) is not None


def test_a_primary_that_grows_takes_its_replicas_along(inside, made, replica):
    path = {"project_id": made[0]}
    endpoints = inside.call("listProjectBranchEndpoints", branch_id=made[1], **path)["endpoints"]
    primary = next(each["id"] for each in endpoints if each["type"] == "read_write")
    for cu in (2, 0.25):
        body = {"endpoint": {"autoscaling_limit_min_cu": cu, "autoscaling_limit_max_cu": cu}}
        inside.call("updateProjectEndpoint", body, endpoint_id=primary, **path)
        inside.settled(made[0])
        _write(inside, made[1], f"create table grown_{int(cu)} as select 1")
        _until(inside, replica, f"select count(*) from pg_class where relname = 'grown_{int(cu)}'", 1)


def test_a_replica_follows_its_branch_to_other_data(inside, made):
    project_id, branch_id = made
    child = inside.branch(project_id, "reset-me")["branch"]["id"]
    name = _replica(inside, project_id, child)
    _write(inside, branch_id, "create table of_the_parent as select 3 as one")
    body = {"source_branch_id": branch_id}
    inside.call("restoreProjectBranch", body, project_id=project_id, branch_id=child)
    inside.settled(project_id)
    inside.plane.computes.stop(name)
    assert _reads(inside, name, "select one from of_the_parent") == 3


@pytest.mark.shows("compute.replicas")
def test_an_awake_replica_does_not_keep_its_primary_awake(inside, made, replica):
    assert _reads(inside, replica, "select 1") == 1
    compute = inside.plane.computes.start(made[1])
    assert compute.sessions_at_work(0) == 0


def test_a_killed_replica_wakes_for_the_next_client(inside, made, replica):
    killed = inside.plane.computes.start(replica)
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait(30)
    assert _reads(inside, replica, "select 1") == 1


def test_a_server_that_was_killed_keeps_the_replicas_it_knows(fresh):
    first = fresh()
    found = first.project()
    name = _replica(first, found["project"]["id"], found["branch"]["id"])
    (first.plane.branches.folder / "ep-nobody-here-a1b2c3d4" / "data").mkdir(parents=True)
    first.plane.close()
    second = fresh()
    left = {entry.name for entry in second.plane.branches.folder.iterdir()}
    assert left == {found["branch"]["id"], name}
    _write(second, found["branch"]["id"], "create table after as select 1")
    _until(second, name, "select count(*) from pg_class where relname = 'after'", 1)


def test_many_clients_at_once_wake_one_compute_once(inside, made, replica):
    computes, found = inside.plane.computes, []
    computes.stop(replica)
    asking = [
        threading.Thread(target=lambda: found.append(computes.start(replica).process.pid)) for _ in range(20)
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(found) == 20
    assert len(set(found)) == 1
