"""Record from real PostgreSQL what statements lock, rewrite, read and refuse.

python scripts/facts.py            records every release at hand in src/neondba/postgres/recorded
python scripts/facts.py --check    compares instead
"""

from __future__ import annotations

import json
import sys
import threading
import tomllib
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from neondba.core.secret import Secret
from neondba.postgres import binaries
from neondba.postgres.connect import Connection, Refused, connect, trusted
from neondba.postgres.scratch import scratch_server

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "facts"
RECORDED = ROOT / "src/neondba/postgres/recorded"
NOT_IN_TRANSACTION = "25001"
WHOLE = 500
"""Every table that counts has a thousand rows; who reads this many reads all."""
STRENGTH = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
    "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
LOCKS = "select mode, relation::bigint as oid from pg_locks where pid = %s and relation = any(%s)"
TABLES = """
select relname, oid::bigint, pg_relation_filenode(oid)::bigint as node from pg_class where relname = any(%s)
"""
EMPTY = {"truncate", "truncate-cascade", "drop-table"}
"""They leave nothing behind that could be written anew."""

Case = dict[str, Any]


def cases() -> dict[str, Case]:
    """Read every case."""
    found: dict[str, Case] = {}
    for file in sorted((FACTS / "cases").glob("*.toml")):
        for name, case in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in found:
                raise SystemExit(f"{file.name}: {name} is there twice")
            found[name] = case | {"subject": file.stem}
    return found


def majors() -> list[int]:
    """Give the releases that this machine can run."""
    found = [int(p.parts[-3]) for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return sorted({m for m in found if m >= binaries.OLDEST} | {binaries.MAJOR})


def recorded(major: int) -> dict[str, Any]:
    """Run every case on one release."""
    with scratch_server(major, autovacuum="off", max_locks_per_transaction="256") as server:
        with connect(server) as session:
            session.execute(trusted((FACTS / "roles.sql").read_text(encoding="utf-8")))
            session.execute("create database base")
            version = session.info.parameter_status("server_version") or ""
        with connect(_on(server, "base")) as session:
            session.execute(trusted((FACTS / "base.sql").read_text(encoding="utf-8")))
        with connect(server) as session:
            session.execute("create database shared template base")
        runner = Runner(server)
        facts = {name: runner.run(name, case) for name, case in cases().items()}
    return {"version": version, "facts": facts}


class Runner:
    """Runs cases, each in a database of its own."""

    def __init__(self, server: Secret) -> None:
        self._server = server
        self._numbers = count()

    def run(self, name: str, case: Case) -> dict[str, Any]:
        """Give what was seen of one case."""
        said = {
            k: case[k]
            for k in ("title", "subject", "sql", "before", "meanwhile", "queued", "claim", "role")
            if k in case
        }
        if isinstance(case["sql"], list):
            if _leaves_nothing(case):
                return said | _one_by_one(_on(self._server, "shared"), case)
            return said | self._prepared(case, _one_by_one)
        rolled_back = partial(_inside, name=name)
        seen = (
            self._prepared(case, rolled_back)
            if "before" in case
            else rolled_back(_on(self._server, "shared"), case)
        )
        if seen.get("error") == NOT_IN_TRANSACTION:
            seen = self._prepared(case, _outside) | {"in_transaction": False}
        return said | seen

    def _prepared(self, case: Case, watch: Callable[[Secret, Case], dict[str, Any]]) -> dict[str, Any]:
        """Watch a case in a database of its own; it goes with the server, as dropping takes longer."""
        name = f"case_{next(self._numbers)}"
        with connect(self._server) as session:
            session.execute(trusted(f"create database {name} template base"))
        url = _on(self._server, name)
        try:
            with connect(url) as session:
                session.execute(trusted(case.get("before", "")))
        except Refused as refused:
            return {"error": refused.sqlstate, "at": case["before"]}
        return watch(url, case)


def _leaves_nothing(case: Case) -> bool:
    """Tell whether the database is as before once the case's sessions have ended."""
    if "before" in case or "meanwhile" in case:
        return False
    texts = [text.split()[0] for text in case["sql"]]
    return set(texts) <= {"select", "set"} or (texts[0] == "begin" and "commit" not in texts)


def _one_by_one(url: Secret, case: Case) -> dict[str, Any]:
    """Run several statements; the last one's row counts, or the first error."""
    seen: dict[str, Any] = {}
    with connect(url) as session, connect(url) as holder, connect(url) as queue:
        waiting = _others(holder, queue, case)
        if "role" in case:
            session.execute(trusted(f"set session authorization {case['role']}"))
        if "held" in case:
            holder.execute(trusted(f"begin; lock table {case['held']} in share mode"))
        for text in case["sql"]:
            try:
                cursor = session.execute(trusted(text))
            except Refused as refused:
                seen |= {"error": refused.sqlstate, "at": text}
                if not case.get("go_on"):
                    break
            else:
                seen["answer"] = cursor.fetchall() if cursor.description else []
        holder.execute("rollback")
        waiting.join()
    if "error" in seen and not case.get("go_on"):
        seen.pop("answer", None)
    return seen


def _others(holder: Connection, queue: Connection, case: Case) -> threading.Thread:
    """Let other sessions do what they do meanwhile; give the one that waits for the first of them."""
    holder.execute(trusted(case.get("meanwhile", "")))
    thread = threading.Thread(target=queue.execute, args=(trusted(case.get("queued", "")),))
    pid = queue.info.backend_pid
    thread.start()
    waits = trusted(f"select from pg_locks where pid = {pid} and not granted")
    while "queued" in case and not holder.execute(waits).rowcount:
        pass
    return thread


def _inside(url: Secret, case: Case, name: str) -> dict[str, Any]:
    """Run the statement in a transaction; look at its locks and files; roll back."""
    watch = case.get("watch", ["item", "owner"])
    with connect(url) as session, session.transaction(force_rollback=True):
        _settings(session, case)
        before = _tables(session, watch)
        read = _rows_read(session, before)
        try:
            cursor = session.execute(trusted(_numbered(case)), case.get("parameters"))
        except Refused as refused:
            return {"error": refused.sqlstate}
        answer = cursor.fetchall() if case.get("ask") else None
        after = {row["oid"]: row["node"] for row in _by_oid(session, before)}
        now = _rows_read(session, before)
        mine = trusted(LOCKS.replace("%s", "pg_backend_pid()", 1))
        held = session.execute(mine, [[t["oid"] for t in before.values()]]).fetchall()
    seen: dict[str, Any] = {
        "locks": _locks(before, held),
        "rewrites": sorted(
            n for n, t in before.items() if name not in EMPTY and after.get(t["oid"], t["node"]) != t["node"]
        ),
        "reads": sorted(n for n in before if now[n] - read[n] >= WHOLE),
    }
    return seen if answer is None else seen | {"answer": answer}


def _outside(url: Secret, case: Case) -> dict[str, Any]:
    """Run the statement outside a transaction, held up at its first lock on the first table."""
    watch = case.get("watch", ["item", "owner"])
    with connect(url) as session, connect(url) as holder, connect(url) as looker:
        before = _tables(looker, watch)
        pid = session.info.backend_pid
        holder.execute(trusted(f"begin; lock table {watch[0]} in share update exclusive mode"))
        failed: list[str | None] = []
        runs = threading.Thread(target=_try, args=(session, case["sql"], failed))
        runs.start()
        held: list[dict[str, Any]] = []
        while not held and runs.is_alive():
            held = looker.execute(trusted(LOCKS), [pid, [before[watch[0]]["oid"]]]).fetchall()
        holder.execute("rollback")
        runs.join()
        session.execute("select pg_stat_force_next_flush()")
        after = {row["oid"]: row["node"] for row in _by_oid(looker, before)}
        read = _rows_read(looker, before, "")
    seen: dict[str, Any] = {
        "locks": _locks(before, held),
        "rewrites": sorted(n for n, t in before.items() if after.get(t["oid"]) != t["node"]),
        "reads": sorted(n for n in before if read[n] >= WHOLE),
    }
    return seen | {"error": failed[0]} if failed else seen


def _try(session: Connection, text: str, failed: list[str | None]) -> None:
    try:
        session.execute(trusted(text))
    except Refused as refused:
        failed.append(refused.sqlstate)


def _settings(session: Connection, case: Case) -> None:
    """Repeat what `before` set, which ended with its session."""
    for part in case.get("before", "").split(";"):
        if part.strip().startswith("set "):
            session.execute(trusted(part))


def _numbered(case: Case) -> str:
    """Write `$1` as the driver asks for it."""
    text: str = case["sql"]
    return text.replace("$1", "%s") if "parameters" in case else text


def _tables(session: Connection, names: list[str]) -> dict[str, dict[str, Any]]:
    found = {row["relname"]: row for row in session.execute(trusted(TABLES), [names])}
    return {name: found[name] for name in names}


def _by_oid(session: Connection, tables: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    text = TABLES.replace("relname = any", "oid::bigint = any")
    return session.execute(trusted(text), [[t["oid"] for t in tables.values()]]).fetchall()


def _rows_read(
    session: Connection, tables: dict[str, dict[str, Any]], scope: str = "xact_"
) -> dict[str, int]:
    found = {}
    for name, table in tables.items():
        text = f"select coalesce(pg_stat_get_{scope}tuples_returned({table['oid']}), 0)::int as n"
        row = session.execute(trusted(text)).fetchone()
        found[name] = int(row["n"]) if row else 0
    return found


def _locks(tables: dict[str, dict[str, Any]], held: list[dict[str, Any]]) -> dict[str, str]:
    found = {}
    for name, table in tables.items():
        modes = [row["mode"] for row in held if row["oid"] == table["oid"]]
        if modes:
            found[name] = max(modes, key=STRENGTH.index)
    return found


def _on(server: Secret, database: str) -> Secret:
    return Secret(server.reveal().replace("@/postgres", f"@/{database}"))


def main() -> int:
    different = False
    for major in majors():
        facts = recorded(major)
        file = RECORDED / f"{major}.json"
        if "--check" in sys.argv:
            known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"facts": {}}
            wrong = [
                n
                for n in {*known["facts"], *facts["facts"]}
                if known["facts"].get(n) != facts["facts"].get(n)
            ]
            different = different or bool(wrong)
            print(f"{facts['version']}: {', '.join(sorted(wrong)) or 'as recorded'}")
            continue
        file.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{facts['version']}: {len(facts['facts'])} facts")
    return int(different)


if __name__ == "__main__":
    sys.exit(main())
