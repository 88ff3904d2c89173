"""A server that is killed while it restores keeps its promise or undoes it, and leaves nothing behind."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
from pathlib import Path

import psycopg
from local_http import ask, settled

from neondba.local import launch

ROWS = 5000


def test_a_server_killed_while_it_replays_finishes_or_forgets_the_branch(state):
    chance = random.Random(20261122)
    port = launch.ensure(state).api_port
    _, made = ask(port, "POST", "/projects", {"project": {"name": "past"}})
    project, uri = made["project"]["id"], made["connection_uris"][0]["connection_uri"]
    lsn = _written(uri)
    promised = []
    for number in range(4):
        running = launch.ensure(state)
        acknowledged: list[str] = []
        client = threading.Thread(target=_branch, args=(running.api_port, project, number, lsn, acknowledged))
        client.start()
        client.join(chance.uniform(0.05, 1.2))
        os.kill(running.pid, signal.SIGKILL)
        client.join()
        promised += acknowledged
    port = launch.ensure(state).api_port
    branches = settled(port, project)
    assert set(promised) <= {each["id"] for each in branches}
    for branch in branches:
        if not branch["default"]:
            assert branch["current_state"] == "ready"
            _is_exact(port, project, branch["id"])
    kept = {each["id"] for each in branches}
    folder = state / "local" / "branches"
    assert {each.name for each in folder.iterdir()} == kept
    assert [each for name in kept for each in (folder / name).glob("bases/*.*")] == []
    assert _orphans(folder, kept) == []


def _written(uri: str) -> str:
    """Write what is to be restored, and something after it; give the place between."""
    with psycopg.connect(uri, autocommit=True) as session:
        session.execute(f"create table kept as select g, repeat('x', 2000) from generate_series(1, {ROWS}) g")
        row = session.execute("select pg_current_wal_lsn()::text").fetchone()
        session.execute("delete from kept")
    assert row is not None
    return str(row[0])


def _branch(port: int, project: str, number: int, lsn: str, acknowledged: list[str]) -> None:
    """Ask for a branch of the past; note its id if it was promised."""
    body = {"branch": {"name": f"b{number}", "parent_lsn": lsn}, "endpoints": [{"type": "read_write"}]}
    try:
        status, answer = ask(port, "POST", f"/projects/{project}/branches", body)
    except (OSError, http.client.HTTPException, ValueError):
        return
    assert status in (201, 423)
    if status == 201:
        acknowledged.append(answer["branch"]["id"])


def _is_exact(port: int, project: str, branch: str) -> None:
    query = f"branch_id={branch}&database_name=neondb&role_name=neondb_owner"
    _, answer = ask(port, "GET", f"/projects/{project}/connection_uri?{query}")
    with psycopg.connect(answer["uri"]) as session:
        assert session.execute("select count(*), max(g) from kept").fetchone() == (ROWS, ROWS)


def _orphans(folder: Path, kept: set[str]) -> list[str]:
    """Give the directories of ours that a process is in, but no branch has."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            place = entry.readlink()
        except OSError:
            continue
        if str(place).startswith(str(folder)) and place.parent.name not in kept:
            found.append(str(place))
    return found
