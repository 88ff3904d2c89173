"""Measure what the policies that `isolation plan` writes cost: the example's own queries, with and without.

Run: python bench/policies.py. Two databases are copies of one another, indexes and grants included; in one of
them row-level security is disabled. pgbench runs each query in turns on both, as the application's role, each
transaction telling the user first. Two costs: of transactions a second (on a quiet machine), and of the
processor time that the server takes for one, by turns (median; also on a busy machine). BENCH_ROUNDS=0 leaves
the first out. Commits are durable, as anywhere; on Neon they also cross the network.
BENCH_ROUNDS=10, BENCH_TRANSACTIONS=2000, BENCH_USERS=1000.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from neondba.access.plan import Asked, planned_at
from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.postgres import binaries
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import neon_like_database, scratch_server
from neondba.project.migrated import apply_migrations

EXAMPLE = Path(__file__).parents[1] / "examples" / "taskboard"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "10"))
TRANSACTIONS = int(os.environ.get("BENCH_TRANSACTIONS", "2000"))
USERS = int(os.environ.get("BENCH_USERS", "1000"))
BOARDS, TASKS, COMMENTS = 5, 20, 2
IDENTITY = "select set_config('app.user_id', 'user-' || :u, true);"
DRAW = f"""\\set u random(1, {USERS})
\\set b (:u - 1) * {BOARDS} + random(1, {BOARDS})
\\set t (:b - 1) * {TASKS} + random(1, {TASKS})
"""
ME = "'user-' || :u"
QUERIES = {
    "get a task": f"select * from task where id = :t and user_id = {ME};",
    "list boards": f"select * from board where user_id = {ME};",
    "list 100 tasks": f"select * from task where user_id = {ME} order by id;",
    "search tasks": f"select * from task where user_id = {ME} and title ilike '%7%';",
    "count by status": f"select status, count(*) from task where board_id = :b and user_id = {ME}"
    " group by status;",
    "list comments": f"select * from comment where user_id = {ME};",
    "update a task": f"update task set title = 'new title' where id = :t and user_id = {ME};",
    "add a task": "insert into task (board_id, user_id, title, cost, created_at)"
    f" values (:b, {ME}, 'added', 0, now()) returning id;",
    "add a comment": "insert into comment (task_id, user_id, body, created_at)"
    f" values (:t, {ME}, 'x', now()) returning id;",
}
UNFILTERED = {
    "get a task": (QUERIES["get a task"], "select * from task where id = :t;"),
    "list 100 tasks": (QUERIES["list 100 tasks"], "select * from task order by id;"),
}
"""With the application's filter and no policy, and with the policy and no filter."""
FILL = f"""
insert into board (user_id, name, color, created_at)
    select 'user-' || u, 'board', '#000000', now()
    from generate_series(1, {USERS}) u, generate_series(1, {BOARDS}) b order by u, b;
insert into task (board_id, user_id, title, cost, created_at)
    select b.id, b.user_id, 'task ' || t, 0, now()
    from board b, generate_series(1, {TASKS}) t order by b.id, t;
insert into comment (task_id, user_id, body, created_at)
    select t.id, t.user_id, 'a comment', now() from task t, generate_series(1, {COMMENTS}) c;
"""


def main() -> None:
    """Make both databases, measure, and print the ratios."""
    with tempfile.TemporaryDirectory() as temporary, scratch_server(fsync="on") as server:
        folder = Path(temporary) / "taskboard"
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("fixed", "__pycache__"))
        bench = Bench(made(server, folder, Path(temporary) / "state"), Path(temporary) / "query.sql")
        print(
            f"load {os.getloadavg()[0]:.1f}; {USERS} users, {USERS * BOARDS * TASKS} tasks; {ROUNDS} rounds"
        )
        print(f"{'':18}{'transactions a second, medians':^40}{'server processor, us':>28}")
        print(f"{'':18}{'without':>9}{'with':>9}{'cost':>8}{'quartiles':>14}", end="")
        print(f"{'without':>12}{'with':>8}{'cost':>8}")
        found = [bench.measured(name, query) for name, query in QUERIES.items()]
        means = [statistics.median(each) - 1 for each in zip(*found, strict=True)]
        print(f"{'median':18}{'':18}{means[0]:>8.1%}{'':34}{means[1]:>8.1%}")
        print("\nThe same rows, without any filter in the database that has policies:")
        bench.unfiltered()
        print("\nTelling the user (set_config, one more round trip), apart from the policies:")
        bench.told()
        bench.close()


def made(server: Secret, folder: Path, state: Path) -> Secret:
    """Plan, let the project's own Alembic apply it to a database with rows, and copy that one."""
    ctx = Context(settings=Settings(state_dir=state, step_limit=600))
    first = neon_like_database(server, "bench")
    planned = planned_at(ctx, Asked(folder), first)
    assert planned.holds, planned.proof
    with connect(first) as session:
        session.execute("create database bound")
    bound = Secret(first.reveal().replace("/bench?", "/bound?"))
    with connect(bound) as session:
        apply_migrations(ctx, folder, bound, session, None, None)
        session.execute(trusted(FILL))
        session.execute("vacuum analyze")
    with connect(first) as session:
        session.execute("create database plain template bound")
    with connect(Secret(bound.reveal().replace("/bound?", "/plain?"))) as session:
        for table in ("board", "task", "comment"):
            session.execute(trusted(f"alter table {table} disable row level security"))
        session.execute("vacuum analyze")
    return bound


class Bench:
    """Both databases, and a session on each whose processor time is read."""

    def __init__(self, bound: Secret, script: Path) -> None:
        self._host = parse_qs(urlsplit(bound.reveal()).query)["host"][0]
        self._script = script
        self._sessions = {
            name: psycopg.connect(f"postgresql://app@/{name}?host={self._host}", prepare_threshold=0)
            for name in ("plain", "bound")
        }
        self._chance = random.Random(1)

    def close(self) -> None:
        """End the sessions."""
        for session in self._sessions.values():
            session.close()

    def measured(self, name: str, query: str) -> tuple[float, float]:
        """Measure one query with and without policies."""
        return self._compared(name, {"plain": (IDENTITY, query), "bound": (IDENTITY, query)})

    def unfiltered(self) -> None:
        """Measure what a policy alone finds against what a filter alone finds."""
        for name, (filtered, bare) in UNFILTERED.items():
            self._compared(name, {"plain": (IDENTITY, filtered), "bound": (IDENTITY, bare)})

    def told(self) -> None:
        """Measure what telling the user costs."""
        query = QUERIES["get a task"]
        self._compared("get a task", {"plain": (query,), "bound": (IDENTITY, query)}, only="plain")

    def _compared(
        self, name: str, scripts: dict[str, tuple[str, ...]], only: str = ""
    ) -> tuple[float, float]:
        """Run in turns, the order swapped each time; pairs next to each other see the same load."""
        speed = []
        for number in range(ROUNDS + 1 if ROUNDS else 0):
            order = ("plain", "bound") if number % 2 else ("bound", "plain")
            rates = {each: self._rate(only or each, scripts[each]) for each in order}
            if number:
                speed.append((rates["plain"], rates["bound"], rates["plain"] / rates["bound"]))
        used = self._used(scripts, only)
        costs = {each: statistics.median(several) / 1000 for each, several in used.items()}
        work = costs["bound"] / costs["plain"]
        said = _row(speed) if speed else f"{'':40}"
        print(f"{name:18}{said}{costs['plain']:>12.1f}{costs['bound']:>8.1f}{work - 1:>8.1%}", flush=True)
        return statistics.median(r for *_, r in speed) if speed else 1.0, work

    def _rate(self, database: str, statements: tuple[str, ...]) -> float:
        """Give the transactions a second of one run of pgbench."""
        self._script.write_text("\n".join([DRAW, "begin;", *statements, "end;"]) + "\n")
        command = [
            binaries.find().program("pgbench"), "-h", self._host, "-U", "app", "-n", "-M", "prepared",
            "-t", str(TRANSACTIONS), "-f", str(self._script), database,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        match = re.search(r"tps = ([\d.]+)", done.stdout)
        assert match, done.stdout
        return float(match[1])

    def _used(self, scripts: dict[str, tuple[str, ...]], only: str) -> dict[str, list[int]]:
        """Give the nanoseconds for which the server's process ran, transaction by transaction in turns."""
        used: dict[str, list[int]] = {each: [] for each in scripts}
        texts = {
            each: [re.sub(r":(\w)\b", r"%(\1)s::int", t.rstrip(";").replace("%", "%%")) for t in several]
            for each, several in scripts.items()
        }
        for number in range(TRANSACTIONS + 10):
            user, board, task = (self._chance.randint(1, most) for most in (USERS, BOARDS, TASKS))
            mine = (user - 1) * BOARDS + board
            values = {"u": user, "b": mine, "t": (mine - 1) * TASKS + task}
            for each in sorted(scripts, reverse=bool(number % 2)):
                session = self._sessions[only or each]
                before = self._ran(session)
                for text in texts[each]:
                    session.execute(text, values)
                session.commit()
                used[each] += [self._ran(session) - before] if number >= 10 else []
        return used

    def _ran(self, session: psycopg.Connection) -> int:
        return int(Path(f"/proc/{session.info.backend_pid}/schedstat").read_text().split()[0])


def _row(rows: list[tuple[float, float, float]]) -> str:
    first, second, ratio = (statistics.median(each) for each in zip(*rows, strict=True))
    low, _, high = statistics.quantiles([r for *_, r in rows], n=4)
    quartiles = f"{low - 1:+.0%} to {high - 1:+.0%}"
    return f"{first:>9.0f}{second:>9.0f}{ratio - 1:>8.1%}{quartiles:>14}"


if __name__ == "__main__":
    main()
