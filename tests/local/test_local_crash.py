"""A server that is killed at any moment loses nothing it promised and leaves nothing behind."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from neondba.local import launch

MOMENTS = 20
ROWS = 321


@dataclass
class Load:
    """What one client asked for and was promised."""

    project: str
    created: dict[str, str] = field(default_factory=dict)
    """Name by id of every branch that was acknowledged."""
    deleted: set[str] = field(default_factory=set)
    asked_to_delete: set[str] = field(default_factory=set)
    """Asked for, and perhaps killed before the answer: may be there or not."""
    count: int = 0

    def run(self, port: int, stop: threading.Event, chance: random.Random) -> None:
        """Create and delete branches until told to stop or the server is gone."""
        try:
            while not stop.is_set():
                alive = [each for each in self.created if each not in self.asked_to_delete]
                if len(alive) > 2 or (alive and chance.random() < 0.4):
                    victim = chance.choice(alive)
                    self.asked_to_delete.add(victim)
                    status, _ = ask(
                        port, "DELETE", f"/projects/{self.project}/branches/{victim}?hard_delete=true"
                    )
                    assert status in (200, 423)
                    if status == 423:
                        self.asked_to_delete.discard(victim)
                    else:
                        self.deleted.add(victim)
                    continue
                self.count += 1
                endpoints = [{"type": "read_write"}] if chance.random() < 0.3 else []
                body = {"branch": {"name": f"b{self.count}"}, "endpoints": endpoints}
                status, answer = ask(port, "POST", f"/projects/{self.project}/branches", body)
                assert status in (201, 423)
                if status == 201:
                    self.created[answer["branch"]["id"]] = answer["branch"]["name"]
        except (OSError, http.client.HTTPException, ValueError):
            return


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            method,
            "/api/v2" + path,
            body=None if body is None else json.dumps(body),
            headers={"Authorization": "Bearer any"},
        )
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else {}
    finally:
        connection.close()


def settled(port: int, project: str) -> list[dict]:
    """Wait for every operation of the project; give its branches."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        _, found = ask(port, "GET", f"/projects/{project}/operations?limit=1000")
        if all(each["status"] not in ("scheduling", "running") for each in found["operations"]):
            assert [each for each in found["operations"] if each["status"] == "failed"] == []
            return ask(port, "GET", f"/projects/{project}/branches")[1]["branches"]
    raise AssertionError("operations did not end")


@pytest.mark.timeout(240)
@pytest.mark.shows("machine.durability")
def test_nothing_promised_is_lost_when_the_server_is_killed_at_twenty_moments(state):
    chance = random.Random(20261121)
    port = launch.ensure(state).api_port
    loads = []
    for name in ("one", "two"):
        _, made = ask(port, "POST", "/projects", {"project": {"name": name}})
        loads.append(Load(made["project"]["id"]))
        with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as connection:
            connection.execute(f"create table t as select generate_series(1, {ROWS}) as n")
    interrupted = [_kill_under_load(state, loads, chance) for _ in range(MOMENTS)]
    port = launch.ensure(state).api_port
    for load in loads:
        _compare(port, load, settled(port, load.project))
    _nothing_unowned(state / "local", port, loads)
    assert sum(interrupted) > MOMENTS / 2, "too few kills came in the middle of something"
    assert sum(len(load.created) for load in loads) > MOMENTS / 2
    assert any(load.deleted for load in loads)


def _kill_under_load(state: Path, loads: list[Load], chance: random.Random) -> bool:
    """Kill the server; tell whether an operation was in flight."""
    running, stop = launch.ensure(state), threading.Event()
    clients = [
        threading.Thread(target=load.run, args=(running.api_port, stop, random.Random(chance.random())))
        for load in loads
    ]
    for client in clients:
        client.start()
    before, deadline = _answered(loads), time.monotonic() + 3
    while _answered(loads) == before and time.monotonic() < deadline:
        stop.wait(0.005)
    stop.wait(chance.uniform(0, 0.5))
    os.kill(running.pid, signal.SIGKILL)
    stop.set()
    for client in clients:
        client.join()
    with closing(sqlite3.connect(state / "local" / "state.sqlite")) as rows:
        query = "select count(*) from operation where status in ('scheduling', 'running')"
        return bool(rows.execute(query).fetchone()[0])


def _answered(loads: list[Load]) -> int:
    return sum(len(load.created) + len(load.deleted) for load in loads)


def _compare(port: int, load: Load, branches: list[dict]) -> None:
    there = {each["id"]: each for each in branches if not each["default"]}
    promised = set(load.created) - load.asked_to_delete
    assert promised <= set(there)
    assert not load.deleted & set(there)
    for branch_id in promised:
        assert there[branch_id]["current_state"] == "ready"
        base = f"/projects/{load.project}"
        _, found = ask(port, "GET", f"{base}/branches/{branch_id}/endpoints")
        if not found["endpoints"]:
            ask(
                port,
                "POST",
                f"{base}/endpoints",
                {"endpoint": {"branch_id": branch_id, "type": "read_write"}},
            )
        query = f"branch_id={branch_id}&database_name=neondb&role_name=neondb_owner"
        _, answer = ask(port, "GET", f"{base}/connection_uri?{query}")
        with psycopg.connect(answer["uri"]) as connection:
            assert connection.execute("select count(*), max(n) from t").fetchone() == (ROWS, ROWS)


def _nothing_unowned(folder: Path, port: int, loads: list[Load]) -> None:
    owned = {
        each["id"]
        for load in loads
        for each in ask(port, "GET", f"/projects/{load.project}/branches")[1]["branches"]
    }
    assert {each.name for each in (folder / "branches").iterdir()} == owned
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            place = str(entry.readlink())
        except OSError:
            continue
        if place.startswith(str(folder)):
            assert Path(place).parent.name in owned
