"""Connections to a branch as it was."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from driver import Driver, api, wait_for
from local_inside import Inside

from neondba.core.problem import ArgumentProblem
from neondba.local import launch
from neondba.local.control.time_travel import point
from neondba.local.launch import Status
from neondba.local.routing import Moment
from neondba.local.storage.point import Point

NEON = Path(__file__).parents[2] / "clients" / "node_modules" / ".bin" / "neon"


def test_a_moment_is_read_as_clients_write_it() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for text in ("2026-01-31T12:00:00Z", "2026-01-31T14:00:00.000+02:00", "2026-01-31 12:00:00"):
        assert point(Moment(timestamp=text)).timestamp == noon
    assert point(Moment(lsn="0/1a2b3c8")).lsn == "0/1A2B3C8"


@pytest.mark.parametrize("moment", [Moment(lsn="1A2B"), Moment(lsn="0/XY"), Moment(timestamp="yesterday")])
def test_a_moment_that_cannot_be_read_is_refused(moment: Moment) -> None:
    with pytest.raises(ArgumentProblem, match="cannot be read"):
        point(moment)


@pytest.fixture(scope="module")
def past(project, driver: Driver) -> tuple[str, str]:
    """Write 1, note the moment, write 2; give the moment and the place."""
    clock = "select date_trunc('milliseconds', clock_timestamp()), pg_current_wal_insert_lsn()::text"
    with psycopg.connect(driver.url, autocommit=True) as db:
        db.execute("create table note (n int)")
        db.execute("insert into note values (1)")
        (before, _), (moment, place) = [db.execute(clock).fetchone()] * 2
        while moment == before:
            moment, place = db.execute(clock).fetchone()
        db.execute("insert into note values (2)")
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", place


@contextmanager
def at(driver: Driver, label: str, wish: str) -> Iterator[psycopg.Connection[Any]]:
    url = urlsplit(driver.url)
    with psycopg.connect(
        host="127.0.0.1",
        port=url.port,
        user=url.username,
        password=url.password,
        dbname="neondb",
        sslmode="require",
        options=f"endpoint={label} {wish}",
        autocommit=True,
        connect_timeout=60,
    ) as connection:
        yield connection


def notes(connection: psycopg.Connection[Any]) -> list[int]:
    return [n for (n,) in connection.execute("select n from note order by n")]


@pytest.mark.shows("past.connections")
def test_a_branch_id_and_a_timestamp_lead_to_the_past(project, driver: Driver, past) -> None:
    with at(driver, project["branch"]["id"], f"neon_timestamp:{past[0]}") as db:
        assert notes(db) == [1]
    with psycopg.connect(driver.url) as now:
        assert notes(now) == [1, 2]


@pytest.mark.shows("past.connections")
def test_an_endpoint_and_a_place_in_the_log_lead_there_too(project, driver: Driver, past) -> None:
    with at(driver, project["endpoints"][0]["id"], f"neon_lsn:{past[1]}") as db:
        assert notes(db) == [1]


@pytest.mark.shows("past.read-only")
def test_the_past_takes_no_writes_whatever_a_client_sets(project, driver: Driver, past) -> None:
    with at(driver, project["branch"]["id"], f"neon_lsn:{past[1]}") as db:
        for attempt in ("set default_transaction_read_only = off", "set transaction_read_only = off"):
            with pytest.raises(psycopg.Error) if "set transaction" in attempt else contextmanager(nothing)():
                db.execute(attempt)
        for statement in ("insert into note values (3)", "create temp table t (n int)", "vacuum note"):
            with pytest.raises(psycopg.Error):
                db.execute(statement)
        assert notes(db) == [1]


def nothing() -> Iterator[None]:
    yield


@pytest.mark.shows("past.connections")
def test_one_compute_serves_all_that_want_the_same_point(project, driver: Driver, past) -> None:
    wish = f"neon_lsn:{past[1]}"
    query = "select pg_postmaster_start_time()"
    with at(driver, project["branch"]["id"], wish) as one, at(driver, project["branch"]["id"], wish) as two:
        assert one.execute(query).fetchone() == two.execute(query).fetchone()


def test_http_reaches_the_past(project, driver: Driver, past) -> None:
    wish = f"neon_timestamp%3A{past[0]}"
    login = driver.url.removeprefix("postgresql://").partition("@")[0]
    url = f"postgresql://{login}@{project['branch']['id']}.localhost/neondb?options={wish}"
    status, said, _ = driver.ask({"query": "select n from note"}, Neon_Connection_String=url)
    assert (status, said.get("rows")) == (200, [{"n": 1}])


@pytest.mark.parametrize(
    "wish",
    [
        "neon_timestamp:2001-01-01T00:00:00Z",
        f"neon_timestamp:{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "neon_lsn:FFFF/0",
    ],
    ids=["before", "after", "beyond"],
)
@pytest.mark.shows("past.window")
def test_a_point_outside_the_history_is_refused(project, driver: Driver, past, wish: str) -> None:
    with (
        pytest.raises(psycopg.OperationalError, match="outside the history window"),
        at(driver, project["branch"]["id"], wish),
    ):
        pass


def test_a_branch_without_a_moment_is_no_endpoint(project, driver: Driver) -> None:
    with (
        pytest.raises(psycopg.OperationalError, match="could not be found"),
        at(driver, project["branch"]["id"], ""),
    ):
        pass


def test_the_official_command_line_goes_back_in_time(server: Status, project, past, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "NEON_CONFIG_DIR": str(tmp_path / "config"),
        "NEON_API_HOST": f"http://127.0.0.1:{server.api_port}/api/v2",
        "NEON_API_KEY": "any-thing",
        "CI": "1",
        "NO_UPDATE_NOTIFIER": "1",
    }
    name, project_id = project["branch"]["name"], project["project"]["id"]
    spot = f"{name}@{past[0]}"
    words = [str(NEON), "--no-analytics", "--project-id", project_id]

    def run(*more: str) -> str:
        done = subprocess.run(
            [*words, *more], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=90
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with psycopg.connect(run("connection-string", spot)) as db:
        assert notes(db) == [1]
    assert "(1 row)" in run("psql", spot, "--", "-c", "select n from note")


def test_what_a_killed_server_leaves_of_the_past_is_swept(state: Path) -> None:
    server = launch.ensure(state)
    made = api(server.api_port, "POST", "/projects", {"project": {"name": "shop"}})
    driver = Driver(made["connection_uris"][0]["connection_uri"], server.api_port, 0, server.ca)
    with psycopg.connect(driver.url, autocommit=True) as db:
        (place,) = db.execute("select pg_current_wal_insert_lsn()::text").fetchone()
        db.execute("create table later (n int)")
    branches = state / "local" / "branches"
    with at(driver, made["branch"]["id"], f"neon_lsn:{place}"):
        assert list(branches.glob("past-*"))
        os.kill(server.pid, signal.SIGKILL)
    launch.ensure(state)
    assert not list(branches.glob("past-*"))


@pytest.mark.shows("past.idle")
def test_nobody_connected_for_a_while_and_the_compute_is_gone(inside: Inside) -> None:
    made = inside.project()
    branch = made["branch"]["id"]
    with inside.sql(branch) as db:
        (place,) = db.execute("select pg_current_wal_insert_lsn()::text").fetchone()
        db.execute("create table later (n int)")
    travel = inside.plane.travel
    compute = travel.wake(inside.timeline(branch), Point(lsn=place))
    (name,) = travel.names()
    with psycopg.connect(host=str(compute.place.sockets), user="neondb_owner", dbname="neondb"):
        inside.clock.ahead += timedelta(minutes=1)
        assert travel.sweep() == []
    inside.clock.ahead += timedelta(minutes=1)
    wait_for(lambda: travel.sweep() == [name] or not travel.names())
    assert not compute.alive()
    assert not inside.plane.branches.exists(name)


def test_a_killed_compute_over_the_past_is_removed_without_waiting(inside: Inside) -> None:
    branch = inside.project()["branch"]["id"]
    with inside.sql(branch) as db:
        (place,) = db.execute("select pg_current_wal_insert_lsn()::text").fetchone()
        db.execute("create table later (n int)")
    travel = inside.plane.travel
    compute = travel.wake(inside.timeline(branch), Point(lsn=place))
    (name,) = travel.names()
    compute.process.kill()
    wait_for(lambda: not travel.names())
    assert not inside.plane.branches.exists(name)
    assert not compute.place.sockets.exists()
