"""Restore random points of minutes of pgbench history, each compared with what was acknowledged.

Run: python bench/restores.py. RESTORE_MINUTES (10) is how long the history is, RESTORE_POINTS (50) how many
points are tried, half by place and half by moment, a third of them on branches of branches.
RESTORE_SCALE (10) is pgbench's. Exit status 1 if any is not exact to the commit.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "local"))

from local_inside import Inside

from neondba.local.storage.point import Point

MINUTES = float(os.environ.get("RESTORE_MINUTES", "10"))
POINTS = int(os.environ.get("RESTORE_POINTS", "50"))
SCALE = os.environ.get("RESTORE_SCALE", "10")
FOLDER = os.environ.get("BENCH_FOLDER")
BALANCED = (
    "with written as (select coalesce(sum(delta), 0) as total from pgbench_history)"
    " select (select sum(abalance) from pgbench_accounts) = total"
    " and (select sum(tbalance) from pgbench_tellers) = total"
    " and (select sum(bbalance) from pgbench_branches) = total from written"
)


@dataclass(frozen=True)
class Mark:
    """A commit, where and when it was acknowledged, and on which timeline."""

    timeline: str
    number: int
    lsn: str
    at: datetime


class Witness(threading.Thread):
    """Commit numbers beside pgbench and note where the log was when each was acknowledged."""

    def __init__(self, inside: Inside, branch: str) -> None:
        super().__init__(daemon=True)
        self._session = inside.sql(branch)
        self._timeline = inside.timeline(branch)
        self._session.execute("create table if not exists witness (number bigint)")
        found = self._session.execute("select coalesce(max(number), 0) from witness").fetchone()
        self._number = found[0] if found else 0
        self._stopping = threading.Event()
        self.marks: list[Mark] = []

    def run(self) -> None:
        """Commit until told to stop."""
        while not self._stopping.wait(0.02):
            self._number += 1
            self._session.execute("insert into witness values (%s)", [self._number])
            row = self._session.execute("select pg_current_wal_lsn()::text, clock_timestamp()").fetchone()
            assert row is not None
            self.marks.append(Mark(self._timeline, self._number, row[0], row[1]))

    def close(self) -> list[Mark]:
        """Stop; give what was noted."""
        self._stopping.set()
        self.join()
        self._session.close()
        return self.marks


def pgbench(inside: Inside, branch: str, *arguments: str) -> list[str]:
    """Give a pgbench command on a branch."""
    compute = inside.plane.computes.start(inside.timeline(branch))
    name = inside.plane.binaries.program("pgbench")
    return [name, "-h", str(compute.place.sockets), "-U", "neondb_owner", *arguments, "neondb"]


def history(inside: Inside, branch: str, seconds: float) -> list[Mark]:
    """Let pgbench write for a while; give the marks of that time."""
    witness = Witness(inside, branch)
    witness.start()
    command = pgbench(inside, branch, "-c", "2", "-n", "-R", "400", "-T", str(max(1, round(seconds))))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return witness.close()


def exact(inside: Inside, mark: Mark, point: Point, name: str) -> tuple[bool, float]:
    """Restore a point; tell whether it is exact, and the seconds it took."""
    begun = time.perf_counter()
    inside.plane.history.make(mark.timeline, point, name)
    compute = inside.plane.computes.start(name)
    took = time.perf_counter() - begun
    with compute.admin("neondb") as session:
        session.execute("set search_path = public")
        found = session.execute("select max(number), count(*) from witness").fetchone()
        balanced = session.execute(BALANCED).fetchone()
    inside.plane.computes.stop(name, at_once=True)
    inside.plane.branches.replace(name)
    good = found == (mark.number, mark.number) and balanced == (True,)
    if not good:
        print(f"NOT EXACT: {mark} by {point}: found {found}, balanced {balanced}", flush=True)
    return good, took


def main() -> int:
    """Make a history on a branch, its child and its grandchild, and try points of all three."""
    folder, chance = Path(tempfile.mkdtemp(dir=FOLDER)), random.Random(20261122)
    inside = Inside(folder / "local")
    inside.plane.sweeper.close()  # It would put computes to sleep that no endpoint has.
    try:
        made = inside.project()
        project_id, branch = made["project"]["id"], made["branch"]["id"]
        subprocess.run(
            pgbench(inside, branch, "-i", "-q", "-s", SCALE), check=True, stderr=subprocess.DEVNULL
        )
        marks: list[list[Mark]] = []
        for name, share in (("child", 0.6), ("grandchild", 0.25), (None, 0.15)):
            marks.append(history(inside, branch, MINUTES * 60 * share))
            if name is not None:
                branch = inside.branch(project_id, name, parent_id=branch)["branch"]["id"]
        results = []
        for number in range(POINTS):
            mark = chance.choice(marks[number % 3])
            point = Point(lsn=mark.lsn) if number % 2 else Point(timestamp=mark.at)
            results.append(exact(inside, mark, point, f"point-{number}"))
        took = sorted(each[1] for each in results)
        good = sum(each[0] for each in results)
        size = inside.plane.history.archive(inside.timeline(branch)).bases()[-1].size / (1 << 30)
        print(
            f"{good} of {POINTS} points in {MINUTES:g} minutes of pgbench exact to the commit"
            f" ({inside.plane.cloner.name}, {size:.2f} GB, {len(marks)} timelines);"
            f" a restore took {took[len(took) // 2]:.2f} s (median), {took[-1]:.2f} s (longest)"
        )
        return 0 if good == POINTS else 1
    finally:
        inside.plane.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
