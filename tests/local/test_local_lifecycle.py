"""What happens over time: expiry, sleep, restarts, and servers in each other's way."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem
from neondba.core.settings import load
from neondba.local import launch, platform
from neondba.local.operations import local_start, local_status, local_stop


def _until(true, limit=60.0):
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"


@pytest.mark.shows("branch.expiry")
def test_a_branch_is_deleted_when_its_time_is_over(fresh):
    inside = fresh()
    project_id = inside.project()["project"]["id"]
    until = (inside.clock.now() + timedelta(hours=1)).isoformat()
    short = inside.branch(project_id, "short", compute=False, expires_at=until)["branch"]["id"]
    assert inside.plane.sweeper.expire() == []
    inside.clock.ahead = timedelta(hours=1, seconds=1)
    inside.plane.sweeper.expire()
    inside.settled(project_id)
    assert not inside.plane.branches.exists(short)
    names = [each["name"] for each in inside.call("listProjectBranches", project_id=project_id)["branches"]]
    assert names == ["main"]


def test_a_compute_sleeps_after_its_time_without_clients_and_wakes_for_the_next(fresh):
    inside = fresh()
    made = inside.project()
    branch_id, endpoint_id = made["branch"]["id"], made["endpoints"][0]["id"]
    directory, computes = inside.plane.directory, inside.plane.computes
    assert directory.verifier(endpoint_id, "neondb_owner")
    directory.opened(endpoint_id)
    directory.closed(endpoint_id)
    inside.clock.ahead = timedelta(seconds=200)
    inside.plane.sweeper.suspend()
    assert computes.running(branch_id) is not None
    inside.clock.ahead = timedelta(seconds=301)
    inside.plane.sweeper.suspend()
    assert computes.running(branch_id) is None
    assert directory.verifier(endpoint_id, "neondb_owner")
    assert computes.running(branch_id) is not None


def test_a_compute_with_a_client_that_works_stays_awake(fresh):
    inside = fresh()
    made = inside.project()
    branch_id, endpoint_id = made["branch"]["id"], made["endpoints"][0]["id"]
    with inside.sql(branch_id) as connection:
        inside.plane.directory.opened(endpoint_id)
        connection.execute("begin")
        inside.clock.ahead = timedelta(hours=1)
        inside.plane.sweeper.suspend()
        assert connection.execute("select 1").fetchone() == (1,)
        inside.plane.directory.closed(endpoint_id)


def test_a_restart_keeps_projects_passwords_and_rows(fresh):
    first = fresh()
    made = first.project()
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    with first.sql(path["branch_id"]) as connection:
        connection.execute("create table kept as select 1 as one")
    asked = {"role_name": "neondb_owner", **path}
    password = first.call("getProjectBranchRolePassword", **asked)
    first.plane.close()
    second = fresh()
    assert second.call("getProjectBranchRolePassword", **asked) == password
    with second.sql(path["branch_id"]) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_what_belongs_to_nobody_is_removed_at_the_start(fresh):
    first = fresh()
    branch_id = first.project()["branch"]["id"]
    first.plane.close()
    for name in ("br-nobody", "br-half.part", "br-old.gone"):
        (first.plane.branches.folder / name / "data").mkdir(parents=True)
    second = fresh()
    assert [each.name for each in second.plane.branches.folder.iterdir()] == [branch_id]


def test_a_folder_of_another_layout_is_one_clear_problem(state):
    (state / "local" / "layout").write_text("99\n")
    with pytest.raises(ConflictProblem) as refused:
        launch.ensure(state)
    assert refused.value.code == "state-layout-version"
    assert "99" in refused.value.message
    assert "--state-dir" in str(refused.value.hint)


@pytest.mark.parametrize("flag", ["port", "postgres_port"])
def test_a_port_in_use_is_named_with_its_flag(state, flag):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConflictProblem) as refused:
            launch.ensure(state, **{flag: port})
    assert refused.value.code == "port-in-use"
    assert str(port) in refused.value.message
    assert "--" + flag.replace("_", "-") in str(refused.value.hint)
    assert launch.status(state) is None


def test_two_commands_at_once_start_one_server(state):
    found = []
    both = [threading.Thread(target=lambda: found.append(launch.ensure(state).pid)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    launch.stop(state)
    assert len(found) == 2
    assert len(set(found)) == 1


def test_a_killed_server_is_not_taken_for_a_running_one(state):
    first = launch.ensure(state)
    os.kill(first.pid, signal.SIGKILL)
    second = launch.ensure(state)
    assert second.pid != first.pid
    assert (second.api_port, second.postgres_port) == (first.api_port, first.postgres_port)
    assert launch.stop(state)
    assert not launch.stop(state)


@pytest.mark.shows("machine.durability")
def test_the_computes_of_a_killed_server_end_too(server, state):
    running = launch.ensure(state)
    ctx = Context(settings=load({"state_dir": state}, environment={}))
    with platform.client(ctx) as client:
        client.create_project("shop")
    assert _postgres_below(state)
    os.kill(running.pid, signal.SIGKILL)
    _until(lambda: not _postgres_below(state))
    assert server.pid != running.pid


def _postgres_below(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            place = str(entry.readlink())
        except OSError:
            continue
        if place.startswith(str(folder)):
            found.append(place)
    return found


@pytest.mark.shows("machine.idle")
def test_a_server_nobody_asks_ends_by_itself(state):
    running = launch.ensure(state, idle_exit=3.0)
    _until(lambda: not Path(f"/proc/{running.pid}").exists() or _zombie(running.pid))
    assert launch.status(state) is None
    assert not (state / "local" / "server.json").exists()


def _zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


def test_the_operations_start_show_and_stop_it(state):
    ctx = Context(settings=load({"state_dir": state}, environment={}))
    assert local_status(ctx).running is False
    started = local_start(ctx)
    assert started.running
    assert started.api is not None
    assert started.postgres is not None
    assert started.authority is not None
    assert started.authority.exists()
    assert local_status(ctx).pid == started.pid
    assert local_stop(ctx).running is False


@pytest.mark.shows("machine.files")
def test_no_password_reaches_a_log_an_argument_list_or_a_readable_file(fresh):
    inside = fresh()
    made = inside.project()
    password = made["roles"][0]["password"]
    with inside.sql(made["branch"]["id"]) as connection, pytest.raises(psycopg.Error):
        connection.execute(f"alter role nobody_here password '{password}'")
    folder = inside.folder
    assert password.encode() not in (folder / "branches" / made["branch"]["id"] / "compute.log").read_bytes()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert password.encode() not in entry.read_bytes()
        except OSError:
            continue
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "state.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
@pytest.mark.shows("machine.unprivileged")
def test_under_root_postgres_runs_as_an_unprivileged_user(fresh):
    inside = fresh()
    compute = inside.plane.computes.start(inside.project()["branch"]["id"])
    status = Path(f"/proc/{compute.process.pid}/status").read_text()
    assert "\nUid:\t0\t" not in status
    assert inside.plane.binaries.owner is not None
