"""What clients ask of a project while its processes are killed; each says what was promised."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import psycopg
from crash_shop import BUSY, Content, Doubt, Gone, Shop, ask, chosen

MOST_BRANCHES = 5
MASKS = [
    {
        "database_name": "neondb",
        "schema_name": "public",
        "table_name": "person",
        "column_name": "email",
        "masking_function": "anon.dummy_free_email()",
    }
]
BULK = (
    "insert into bulk select g, repeat(md5(g::text), 30) from generate_series(1, 40000) g",
    "truncate bulk",
)


def _made(shop: Shop, body: dict[str, Any], content: Content, path: str = "/branches") -> Any:
    """Ask for a branch, and note what it is to hold."""
    branch = body["branch"] if "branch" in body else body["branch_create"]["branch"]
    doubt = Doubt({branch["name"]}, [content])
    shop.doubts.append(doubt)
    answer = shop.ask("POST", path, body)
    doubt.contents[:] = [shop.until_now(content)]
    shop.doubts.remove(doubt)
    if answer is not None:
        shop.contents[answer["branch"]["id"]] = doubt.contents
    return answer


def create_branch(shop: Shop, chance: Random) -> None:
    """Branch from the present, or from a place in the log."""
    endpoints = [{"type": "read_write"}] if chance.random() < 0.4 else []
    wanted, content = {"name": shop.name("b")}, shop.now()
    if shop.main in shop.points and chance.random() < 0.4:
        wanted["parent_lsn"], content = shop.points[shop.main]
    _made(shop, {"branch": wanted, "endpoints": endpoints}, content)


def create_schema_only(shop: Shop, _chance: Random) -> None:
    """Make a root branch with the schema alone."""
    branch = {"name": shop.name("schema"), "parent_id": shop.main, "init_source": "schema-only"}
    doubt = Doubt({branch["name"]}, [Content(0, 0)])
    shop.doubts.append(doubt)
    answer = shop.ask("POST", "/branches", {"branch": branch, "endpoints": [{"type": "read_write"}]})
    shop.doubts.remove(doubt)
    if answer is not None:
        shop.contents[answer["branch"]["id"]] = doubt.contents
        shop.young.add(answer["branch"]["id"])


def create_masked(shop: Shop, _chance: Random) -> None:
    """Make an anonymized branch."""
    branch = {"branch": {"name": shop.name("masked")}, "endpoints": [{"type": "read_write"}]}
    body = {"branch_create": branch, "masking_rules": MASKS, "start_anonymization": True}
    answer = _made(shop, body, shop.now(), "/branch_anonymized")
    if answer is not None:
        shop.masked.add(answer["branch"]["id"])


def delete_branch(shop: Shop, chance: Random) -> None:
    """Delete a branch that has no children."""
    victim = chosen(chance, set(shop.contents) - shop.leaving)
    if victim is None:
        return
    shop.leaving.add(victim)
    status, _ = ask(shop.port, "DELETE", f"{shop.base}/branches/{victim}?hard_delete=true")
    if status == 200:
        shop.left.add(victim)
    else:
        shop.leaving.discard(victim)
        if status not in (BUSY, 422):
            shop.faults.add(f"DELETE of a branch answered {status}")


def _children(shop: Shop) -> set[str]:
    return set(shop.contents) - shop.leaving - shop.masked


def restore_child(shop: Shop, chance: Random) -> None:
    """Give a child what main holds now, keeping what it held under another name."""
    child = chosen(chance, _children(shop))
    if child is not None:
        _restore(shop, child, {"source_branch_id": shop.main}, shop.now())


def reset_child(shop: Shop, chance: Random) -> None:
    """Give a child what main holds now, and drop what it held."""
    child = chosen(chance, _children(shop))
    if child is not None:
        _restore(shop, child, {"source_branch_id": shop.main}, shop.now(), keep=False)


def rewind_child(shop: Shop, chance: Random) -> None:
    """Give a child what it held at a place in its log."""
    child = chosen(chance, _children(shop) & set(shop.points))
    if child is not None:
        lsn, content = shop.points[child]
        _restore(shop, child, {"source_branch_id": child, "source_lsn": lsn}, content)


def _restore(shop: Shop, child: str, body: dict[str, Any], content: Content, *, keep: bool = True) -> None:
    """Restore a child; a new content is possible from now on, and certain once it is answered."""
    held, name = list(shop.contents[child]), shop.name("kept")
    shop.points.pop(child, None)  # The branch may be on another timeline from now on.
    possible = [*held, content]
    shop.contents[child] = possible
    doubt = Doubt({name}, held)
    if keep:
        shop.doubts.append(doubt)
        body = {**body, "preserve_under_name": name}
    status, answer = ask(shop.port, "POST", f"{shop.base}/branches/{child}/restore", body)
    possible[-1] = shop.until_now(content)
    said = f"POST restore {status}"
    shop.answers[said] = shop.answers.get(said, 0) + 1
    if status == 200:
        shop.contents[child] = possible[-1:]
        if keep:
            shop.doubts.remove(doubt)
            shop.preserved[name] = held
        return
    shop.contents[child] = held
    if keep:
        shop.doubts.remove(doubt)
    if status not in (BUSY, 422):
        shop.faults.add(f"restore of {child} answered {status}: {answer.get('message')}")


def mark_child(shop: Shop, chance: Random) -> None:
    """Write to a child through the proxy, and note a place in its log."""
    child = chosen(chance, _children(shop))
    if child is None:
        return
    word, held = f"{shop.project}-{shop.name('mark')}", shop.contents[child]
    shop.contents[child] = [replace(each, maybe=each.maybe | {word}) for each in held]
    if not _endpoint(shop, child):
        return
    with psycopg.connect(shop.uri(child), autocommit=True) as session:
        session.execute("insert into mark values (%s)", [word])
        held = [replace(each, marks=each.marks | {word}) for each in shop.contents[child]]
        shop.contents[child] = held
        row = session.execute("select pg_current_wal_lsn()::text").fetchone()
        # The history of a schema-only branch begins once it is awake.
        if row is not None and len(held) == 1 and child not in shop.young:
            shop.points[child] = (row[0], held[0])


def _endpoint(shop: Shop, branch: str) -> bool:
    """See that a branch has a compute."""
    found = ask(shop.port, "GET", f"{shop.base}/branches/{branch}/endpoints")[1].get("endpoints", [])
    if any(each["type"] == "read_write" for each in found):
        return True
    body = {"endpoint": {"branch_id": branch, "type": "read_write"}}
    return shop.ask("POST", "/endpoints", body) is not None


def note_point(shop: Shop, _chance: Random) -> None:
    """Note a place in main's log and what it holds there, and look at it through time travel."""
    before = shop.now()
    with psycopg.connect(shop.uri(shop.main), autocommit=True) as session:
        row = session.execute("select pg_current_wal_flush_lsn()::text").fetchone()
    assert row is not None
    shop.points[shop.main] = (row[0], shop.until_now(before))


def travel(shop: Shop, _chance: Random) -> None:
    """Connect to the past."""
    if shop.main not in shop.points:
        return
    lsn, content = shop.points[shop.main]
    info = psycopg.conninfo.conninfo_to_dict(shop.uri(shop.main))
    wish = f"endpoint={shop.main} neon_lsn:{lsn}"
    with psycopg.connect(
        host="127.0.0.1", port=info["port"], user=info["user"], password=info["password"],
        dbname="neondb", sslmode="require", options=wish, autocommit=True, connect_timeout=60,
    ) as session:  # fmt: skip
        row = session.execute("select coalesce(max(n), 0) from ledger").fetchone()
    if row is not None and not content.low <= row[0] <= content.high:
        shop.faults.add(f"time travel to {lsn} shows {row[0]}, not {content}")


def take_snapshot(shop: Shop, _chance: Random) -> None:
    """Take a snapshot of main, or drop one when there are many."""
    if len(shop.snapshots) < 2:
        before = shop.now()
        answer = shop.ask("POST", f"/branches/{shop.main}/snapshot?name={shop.name('snap')}")
        if answer is not None:
            shop.snapshots[answer["snapshot"]["id"]] = [shop.until_now(before)]
        return
    victim = next(iter(shop.snapshots))
    shop.dropping.add(victim)
    if shop.ask("DELETE", f"/snapshots/{victim}") is not None:
        shop.dropped.add(victim)
        del shop.snapshots[victim]
    else:
        shop.dropping.discard(victim)


def restore_snapshot(shop: Shop, chance: Random) -> None:
    """Make a branch of a snapshot, and perhaps put it in a child's place."""
    snapshot, child = chosen(chance, set(shop.snapshots) - shop.dropping), chosen(chance, _children(shop))
    if snapshot is None:
        return
    body: dict[str, Any] = {"name": shop.name("from")}
    if child is not None and chance.random() < 0.5:
        body |= {"target_branch_id": child, "finalize_restore": True}
    doubt = Doubt({"*"}, shop.snapshots[snapshot])
    shop.doubts.append(doubt)
    answer = shop.ask("POST", f"/snapshots/{snapshot}/restore", body)
    shop.doubts.remove(doubt)
    if answer is not None:
        shop.contents[answer["branch"]["id"]] = list(doubt.contents)


def move_endpoint(shop: Shop, chance: Random) -> None:
    """Start, suspend or restart a compute."""
    found = ask(shop.port, "GET", f"{shop.base}/endpoints")[1].get("endpoints", [])
    if found:
        what = chance.choice(["start", "suspend", "restart"])
        shop.ask("POST", f"/endpoints/{chosen(chance, [each['id'] for each in found])}/{what}")


def make_thing(shop: Shop, chance: Random) -> None:
    """Create or drop a role or a database on main."""
    kind = chance.choice(["roles", "databases"])
    known = shop.things[kind]
    if len(known) < 3:
        name = shop.name("thing")
        shop.unsure.add(name)
        body = {"role": {"name": name}}
        if kind == "databases":
            body = {"database": {"name": name, "owner_name": "neondb_owner"}}
        if shop.ask("POST", f"/branches/{shop.main}/{kind}", body) is not None:
            known.add(name)
        shop.unsure.discard(name)
        return
    name = chosen(chance, known)
    known.discard(name)
    shop.unsure.add(name)
    if shop.ask("DELETE", f"/branches/{shop.main}/{kind}/{name}") is None:
        known.add(name)
    shop.unsure.discard(name)


def use_replica(shop: Shop, _chance: Random) -> None:
    """Read through a replica, made if there is none; delete it afterwards."""
    found = ask(shop.port, "GET", f"{shop.base}/endpoints")[1].get("endpoints", [])
    replicas = [each for each in found if each["type"] == "read_only"]
    if not replicas:
        shop.ask("POST", "/endpoints", {"endpoint": {"branch_id": shop.main, "type": "read_only"}})
        return
    low = shop.last
    with psycopg.connect(shop.uri(shop.main, endpoint=replicas[0]["id"])) as session:
        row = session.execute("select coalesce(max(n), 0) from ledger").fetchone()
    if row is not None and row[0] > shop.tried:
        shop.faults.add(f"a replica shows {row[0]} where {low} was acknowledged")
    shop.ask("DELETE", f"/endpoints/{replicas[0]['id']}")


def write_bulk(shop: Shop, _chance: Random) -> None:
    """Write so much log that a base of the history is due."""
    with psycopg.connect(shop.uri(shop.main), autocommit=True) as session:
        session.execute("create table if not exists bulk (n int, text text)")
        for statement in BULK:
            session.execute(statement)


def make_project(shop: Shop, _chance: Random) -> None:
    """Create a project and delete it again."""
    status, made = ask(shop.port, "POST", "/projects", {"project": {"name": shop.name("passing")}})
    if status != 201:
        shop.faults.add(f"POST /projects answered {status}: {made.get('message')}")
        return
    other = f"/projects/{made['project']['id']}"
    with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as session:
        session.execute("create table passing (n int)")
    ask(shop.port, "DELETE", other + "?hard_delete=true")


def seed_project(shop: Shop, _chance: Random) -> None:
    """Fill a project as the command line does."""
    assert shop.state is not None
    dump, name = shop.state.parent / f"{shop.project}.sql", f"{shop.name('seeded')}-{shop.project}"
    dump.write_text("create table seeded as select g as n from generate_series(1, 1000) g;\n")
    command = [sys.executable, "-m", "neondba", "local", "seed", name, "--dump", str(dump)]
    given = {**os.environ, "NEONDBA_STATE_DIR": str(shop.state)}
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, cwd=dump.parent, env=given)
    if done.returncode:
        return
    listed = ask(shop.port, "GET", "/projects?limit=400")[1]["projects"]
    project = next((each["id"] for each in listed if each["name"] == name), None)
    if project is None:
        shop.faults.add(f"{name} was seeded and is gone")
        return
    query = "database_name=neondb&role_name=neondb_owner"
    uri = ask(shop.port, "GET", f"/projects/{project}/connection_uri?{query}")[1]["uri"]
    with psycopg.connect(uri) as session:
        row = session.execute("select count(*) from seeded").fetchone()
    if row != (1000,):
        shop.faults.add(f"{name} has {row} rows")


Action = Callable[[Shop, Random], None]
WEIGHTS: dict[Action, int] = {
    create_branch: 8, create_schema_only: 2, create_masked: 2, delete_branch: 4, restore_child: 4,
    reset_child: 3, rewind_child: 3, mark_child: 6, note_point: 4, travel: 3, take_snapshot: 4,
    restore_snapshot: 3, move_endpoint: 3, make_thing: 5, use_replica: 3, write_bulk: 2,
    make_project: 2, seed_project: 1,
}  # fmt: skip


def act(shop: Shop, stop: threading.Event, chance: Random, done: dict[str, int]) -> None:
    """Do one thing after the other until told to stop or the server is gone."""
    actions, weights = list(WEIGHTS), list(WEIGHTS.values())
    while not stop.is_set():
        action = chance.choices(actions, weights)[0]
        if len(shop.contents) - len(shop.left) >= MOST_BRANCHES and chance.random() < 0.6:
            action = delete_branch
        done[action.__name__] = done.get(action.__name__, 0) + 1
        try:
            action(shop, chance)
        except Gone:
            return
        except psycopg.Error:
            stop.wait(0.05)
