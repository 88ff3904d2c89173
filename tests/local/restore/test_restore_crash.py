"""A server killed while it restores and takes snapshots has done each of them wholly or not at all."""

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

import psycopg
import pytest

from neondba.local import launch

MOMENTS = 3


def ask(port, method, path, body=None):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        text = None if body is None else json.dumps(body)
        connection.request(method, "/api/v2" + path, text, {"Authorization": "Bearer any"})
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else {}


@dataclass
class Load:
    """What one client asked for and was promised."""

    base: str
    main: str
    child: str
    written: int = 0
    """The last value that main took for certain."""
    restored: int = 0
    """What the child was last promised to hold."""
    asked: int = 0
    """What it was last asked to hold, promised or not."""
    kept: set[str] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=dict)
    """The last value in each snapshot that was promised."""
    dropped: set[str] = field(default_factory=set)

    def run(self, port, stop):
        try:
            while not stop.is_set():
                self._once(port)
        except (OSError, http.client.HTTPException, ValueError, psycopg.Error):
            return

    def _once(self, port):
        with psycopg.connect(uri(port, self.base, self.main), autocommit=True) as session:
            session.execute("insert into t values (%s)", [self.written + 1])
        self.written += 1
        name, self.asked = f"kept {self.written}", self.written
        body = {"source_branch_id": self.main, "preserve_under_name": name}
        if self._did(port, "POST", f"{self.base}/branches/{self.child}/restore", body):
            self.restored = self.written
            self.kept.add(name)
        made = self._did(port, "POST", f"{self.base}/branches/{self.main}/snapshot")
        if made:
            self.taken[made["snapshot"]["id"]] = self.written
        if len(self.taken) > 1:
            oldest = next(iter(self.taken))
            del self.taken[oldest]
            if self._did(port, "DELETE", f"{self.base}/snapshots/{oldest}"):
                self.dropped.add(oldest)

    def _did(self, port, method, path, body=None):
        status, answer = ask(port, method, path, body)
        assert status in (200, 202, 423), (status, answer)
        return answer if status != 423 else None


def uri(port, base, branch_id):
    query = f"branch_id={branch_id}&database_name=neondb&role_name=neondb_owner"
    return ask(port, "GET", f"{base}/connection_uri?{query}")[1]["uri"]


def values(port, base, branch_id):
    with psycopg.connect(uri(port, base, branch_id)) as session:
        return [row[0] for row in session.execute("select n from t order by n")]


def settled(port, base):
    for _ in range(3000):
        found = ask(port, "GET", f"{base}/operations?limit=1000")[1]["operations"]
        if all(each["status"] not in ("scheduling", "running") for each in found):
            assert [each for each in found if each["status"] == "failed"] == []
            return
    raise AssertionError("operations did not end")


@pytest.mark.shows("restore.whole")
def test_restores_and_snapshots_survive_a_server_killed_at_any_moment(state):
    chance = random.Random(20261122)
    port = launch.ensure(state).api_port
    _, made = ask(port, "POST", "/projects", {"project": {"name": "shop"}})
    base, main = f"/projects/{made['project']['id']}", made["branch"]["id"]
    with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as session:
        session.execute("create table t (n int)")
    settled(port, base)
    body = {"branch": {"name": "child"}, "endpoints": [{"type": "read_write"}]}
    child = ask(port, "POST", base + "/branches", body)[1]["branch"]["id"]
    load = Load(base, main, child)
    for moment in range(5 * MOMENTS):
        # On a busy machine the first moments may come before any snapshot was answered.
        if moment >= MOMENTS and (load.taken or load.dropped):
            break
        _kill(state, load, chance)
        _compare(state, load)
    assert load.kept
    assert load.taken or load.dropped


def _kill(state, load, chance):
    running, stop = launch.ensure(state), threading.Event()
    settled(running.api_port, load.base)
    client = threading.Thread(target=load.run, args=(running.api_port, stop))
    before, deadline = load.written, time.monotonic() + 10
    client.start()
    while load.written == before and time.monotonic() < deadline:
        stop.wait(0.005)
    stop.wait(chance.uniform(0, 2.5))
    os.kill(running.pid, signal.SIGKILL)
    stop.set()
    client.join()


def _compare(state, load):
    port = launch.ensure(state).api_port
    settled(port, load.base)
    main = values(port, load.base, load.main)
    assert main in ([*range(1, load.written + 1)], [*range(1, load.written + 2)])
    load.written = len(main)
    child = values(port, load.base, load.child)
    assert child in ([*range(1, load.restored + 1)], [*range(1, load.asked + 1)])
    load.restored = len(child)
    branches = ask(port, "GET", load.base + "/branches")[1]["branches"]
    assert {each["current_state"] for each in branches} == {"ready"}
    assert load.kept <= {each["name"] for each in branches}
    snapshots = {each["id"] for each in ask(port, "GET", load.base + "/snapshots")[1]["snapshots"]}
    assert set(load.taken) <= snapshots | load.dropped
    assert not load.dropped & snapshots
    with closing(sqlite3.connect(state / "local" / "state.sqlite")) as rows:
        known = {row[0] for row in rows.execute("select id from timeline")}
    assert {each.name for each in (state / "local" / "branches").iterdir()} == known
    assert len(known) == len(branches) + len(snapshots)
