"""Compare what is there after a crash with what was promised, and look for what belongs to nobody."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from crash_shop import BUSY, Content, Shop, ask

from neondba.local import launch
from neondba.local.computes.process import ADMIN
from neondba.postgres import binaries

PATIENCE = 120.0
MANY = 15
READ = (
    "select (select coalesce(max(n), 0) from ledger), (select coalesce(sum(balance), 0) from account),"
    " (select count(*) from account), (select count(*) from person where email like '%@real.test')"
)


@dataclass
class Place:
    """A state folder, and the folder where its sockets and temporary files are."""

    state: Path
    temporary: Path

    @property
    def folder(self) -> Path:
        """Where the local Neon has its things."""
        return self.state / "local"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the state past the server."""
        with closing(sqlite3.connect(self.folder / "state.sqlite", timeout=30)) as state:
            return state.execute(query, values).fetchall()


def settled(place: Place, shop: Shop, seen: set[str]) -> None:
    """Wait until nothing is in flight; note operations that failed."""
    deadline = time.monotonic() + PATIENCE
    query = "select action, branch_id from operation where status in ('scheduling', 'running')"
    while waiting := place.rows(query):
        if time.monotonic() > deadline:
            shop.faults.add(f"operations did not end: {waiting}")
            return
        time.sleep(0.05)
    for number, action, error in place.rows(
        "select id, action, error from operation where status = 'failed'"
    ):
        if number not in seen:
            seen.add(number)
            shop.faults.add(f"operation {action} failed: {error}")


def compare(place: Place, shop: Shop, *, amcheck: bool = True) -> None:
    """Compare a project with what was promised; from then on what is there is promised."""
    _, answer = ask(shop.port, "GET", shop.base + "/branches?limit=1000")
    there = {each["id"]: each for each in answer.get("branches", [])}
    _compare_lists(shop, there)
    found: dict[str, list[Content]] = {}
    for branch_id, branch in there.items():
        if branch["current_state"] not in ("ready", "archived"):
            shop.faults.add(f"branch {branch['name']} is {branch['current_state']}")
        held = _compare_branch(place, shop, branch, amcheck=amcheck, many=len(there) > MANY)
        if branch["name"].startswith("schema-"):
            shop.young.add(branch_id)
        if held is not None and branch_id != shop.main:
            found[branch_id] = [held]
    _compare_snapshots(shop)
    _compare_things(shop)
    shop.contents, shop.masked = found, shop.masked & set(found)
    shop.doubts, shop.preserved, shop.leaving, shop.left = [], {}, set(), set()
    shop.points = {each: point for each, point in shop.points.items() if each in (shop.main, *found)}
    shop.tried += 1  # Nothing that was in doubt is tried again.


def _compare_lists(shop: Shop, there: dict[str, Any]) -> None:
    names = {each["name"] for each in there.values()}
    for lost in set(shop.contents) - shop.leaving - set(there):
        shop.faults.add(f"branch {lost} was acknowledged and is gone")
    for ghost in shop.left & set(there):
        shop.faults.add(f"branch {ghost} was deleted and is there")
    for lost_name in set(shop.preserved) - names:
        shop.faults.add(f"what {lost_name} preserved is gone")
    if shop.main not in there:
        shop.faults.add("main is gone")


def _allowed(shop: Shop, branch: dict[str, Any]) -> list[Content] | None:
    """Give what a branch may hold; None when it may not be there."""
    if branch["id"] in shop.contents:
        return shop.contents[branch["id"]]
    if branch["name"] in shop.preserved:
        return shop.preserved[branch["name"]]
    doubts = [each for each in shop.doubts if branch["name"] in each.names]
    doubts = doubts or [each for each in shop.doubts if "*" in each.names]
    return [content for each in doubts for content in each.contents] or None


def _compare_branch(
    place: Place, shop: Shop, branch: dict[str, Any], *, amcheck: bool, many: bool
) -> Content | None:
    name = f"{branch['name']} ({branch['id']})"
    main = branch["id"] == shop.main
    allowed = [Content(shop.last, shop.tried)] if main else _allowed(shop, branch)
    if allowed is None:
        shop.faults.add(f"branch {name} belongs to nobody")
        return None
    try:
        _with_compute(shop, branch["id"])
        with psycopg.connect(shop.uri(branch["id"]), autocommit=True, connect_timeout=90) as session:
            held = _held(shop, session, name)
        if not any(_fits(held, each) for each in allowed):
            shop.faults.add(f"{name} holds {held}, allowed {allowed}")
        elif branch["id"] in shop.masked:
            shop.faults.said += [f"{name} shows real people"] if _real(shop, branch["id"]) else []
        if amcheck:
            _amcheck(place, shop, branch["id"], name)
        if many:
            _suspend(shop, branch["id"])
    except (psycopg.Error, TimeoutError) as error:
        shop.faults.add(f"{name} cannot be read: {error}")
        return None
    return held


def _held(shop: Shop, session: psycopg.Connection[Any], name: str) -> Content:
    """Read a branch; note what does not hold together."""
    row = session.execute(READ).fetchone()
    assert row is not None
    if row[1] != 0 or row[2] not in (0, 50):
        shop.faults.add(f"{name}: {row[2]} accounts sum to {row[1]}")
    numbers = {each[0] for each in session.execute("select n from ledger")}
    lost = {each for each in shop.acknowledged if each <= row[0]} - numbers
    if lost:
        shop.faults.add(f"{name} lacks {len(lost)} acknowledged rows before its last, such as {min(lost)}")
    marks = frozenset(each[0] for each in session.execute("select word from mark"))
    return Content(row[0], row[0], marks, marks)


def _fits(held: Content, allowed: Content) -> bool:
    inside = allowed.low <= held.low <= allowed.high
    return inside and allowed.marks <= held.marks <= allowed.marks | allowed.maybe


def _suspend(shop: Shop, branch_id: str) -> None:
    """Let a branch's computes sleep: only so many of a project may be awake."""
    for each in ask(shop.port, "GET", f"{shop.base}/branches/{branch_id}/endpoints")[1].get("endpoints", []):
        while ask(shop.port, "POST", f"{shop.base}/endpoints/{each['id']}/suspend")[0] == BUSY:
            time.sleep(0.1)


def _real(shop: Shop, branch_id: str) -> bool:
    with psycopg.connect(shop.uri(branch_id), autocommit=True) as session:
        row = session.execute("select count(*) from person where email like '%@real.test'").fetchone()
    return row is not None and row[0] > 0


def _with_compute(shop: Shop, branch_id: str) -> None:
    found = ask(shop.port, "GET", f"{shop.base}/branches/{branch_id}/endpoints")[1].get("endpoints", [])
    if any(each["type"] == "read_write" for each in found):
        return
    deadline, body = time.monotonic() + PATIENCE, {"endpoint": {"branch_id": branch_id, "type": "read_write"}}
    while (answer := ask(shop.port, "POST", shop.base + "/endpoints", body))[0] == BUSY:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{branch_id} gets no compute")
    if answer[0] >= 400:
        shop.faults.add(f"{branch_id} gets no compute: {answer}")


def amcheck(sockets: Path) -> str:
    """Check every table and index of a running compute; give what is wrong."""
    program = binaries.find().program("pg_amcheck")
    options = ["--install-missing", "--heapallindexed", "--no-psqlrc"][:2]
    command = [program, "-h", str(sockets), "-U", ADMIN, "-d", "neondb", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[:600]


def _amcheck(place: Place, shop: Shop, branch_id: str, name: str) -> None:
    ((timeline,),) = place.rows("select timeline_id from branch where id = ?", branch_id)
    sockets = Path((place.folder / "sockets").read_text()) / timeline
    if said := amcheck(sockets):
        shop.faults.add(f"pg_amcheck of {name}: {said}")


def _compare_snapshots(shop: Shop) -> None:
    _, answer = ask(shop.port, "GET", shop.base + "/snapshots")
    there = {each["id"] for each in answer.get("snapshots", [])}
    for lost in set(shop.snapshots) - shop.dropping - there:
        shop.faults.add(f"snapshot {lost} was acknowledged and is gone")
    for ghost in shop.dropped & there:
        shop.faults.add(f"snapshot {ghost} was deleted and is there")
    for unknown in there - set(shop.snapshots):
        shop.ask("DELETE", f"/snapshots/{unknown}")
    shop.snapshots = {each: held for each, held in shop.snapshots.items() if each in there}
    shop.dropping, shop.dropped = set(), set()


def _compare_things(shop: Shop) -> None:
    """Compare main's roles and databases, in the answers and in PostgreSQL."""
    with psycopg.connect(shop.uri(shop.main), autocommit=True) as session:
        real = {
            "roles": {each[0] for each in session.execute("select rolname from pg_roles")},
            "databases": {each[0] for each in session.execute("select datname from pg_database")},
        }
    for kind, promised in shop.things.items():
        _, answer = ask(shop.port, "GET", f"{shop.base}/branches/{shop.main}/{kind}")
        said = {each["name"] for each in answer[kind]}
        for lost in (promised - said) | (said - real[kind]):
            shop.faults.add(f"{kind}: {lost} was acknowledged and is not there")
        for ghost in (
            {each for each in said | real[kind] if each.startswith("thing-")} - promised - shop.unsure
        ):
            shop.faults.add(f"{kind}: {ghost} was dropped and is there")
        shop.things[kind] = {each for each in said if each.startswith("thing-")}
    shop.unsure = set()
    for role in sorted(shop.things["roles"])[:1]:
        with psycopg.connect(shop.uri(shop.main, role)) as session:
            session.execute("select 1")


def nothing_unowned(place: Place, shops: list[Shop]) -> None:
    """Note directories, processes and sockets that belong to nobody; some may be about to go."""
    deadline = time.monotonic() + 60
    while found := _unowned(place):
        if time.monotonic() > deadline:
            shops[0].faults.said += found
            return
        time.sleep(0.2)


def _unowned(place: Place) -> list[str]:
    running = launch.status(place.state)
    timelines = {row[0] for row in place.rows("select id from timeline")}
    replicas = {row[0] for row in place.rows("select id from endpoint where type = 'read_only'")}
    held = {
        row[0] for row in place.rows("select timeline_id from branch union select timeline_id from snapshot")
    }
    folder = place.folder
    there = {each.name for each in (folder / "branches").iterdir()}
    said = [
        f"directory {each} belongs to nobody" for each in there - timelines - replicas if "past-" not in each
    ]
    said += [f"timeline {each} has no directory" for each in timelines - there]
    said += [f"timeline {each} is no branch's and no snapshot's" for each in timelines - held]
    said += [f"half-made: {each}" for each in (folder / "branches").glob("*/bases/*.*")]
    said += [
        f"half-made: {each}" for each in (folder / "templates").iterdir() if each.suffix in (".part", ".gone")
    ]
    servers, computes = _processes(place)
    if running is not None and servers != [running.pid]:
        said.append(f"servers {servers}, not {running.pid}")
    travelled = {cwd for _, cwd in computes if cwd.startswith("past-")} & there
    said += [
        f"process {pid} in {cwd}" for pid, cwd in computes if cwd not in timelines | replicas | travelled
    ]
    sockets = Path((folder / "sockets").read_text())
    said += [
        f"left in {place.temporary}: {each.name}" for each in place.temporary.iterdir() if each != sockets
    ]
    awake = {cwd for _, cwd in computes}
    said += [f"socket of {each.name}" for each in sockets.iterdir() if each.name not in awake]
    return said


def _processes(place: Place) -> tuple[list[int], list[tuple[int, str]]]:
    """Give the servers of this state folder, and the postmasters below it with their directories."""
    servers, computes = [], []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            cwd, words = str((entry / "cwd").readlink()), (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"neondba.local.server" in words and os.fsencode(place.state) in words:
            servers.append(int(entry.name))
        elif cwd.startswith(f"{place.folder}/"):
            computes.append((int(entry.name), Path(cwd.removesuffix(" (deleted)")).parent.name))
    return servers, computes
