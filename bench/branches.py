"""Measure branches and restores: ext4 or whatever /tmp is, and a file-cloning volume where it may make one.

Run: python bench/branches.py. BENCH_SIZES="0.1 1 10" sets gigabytes for the cloning volume and
BENCH_COPY_SIZES="0.1 1" for the plain folder; BENCH_FOLDER the folder for both; BENCH_FS xfs or btrfs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "local"))

from local_inside import Inside

from neondba.local.storage import wal
from neondba.local.storage.point import Point

SIZES = [float(size) for size in os.environ.get("BENCH_SIZES", "0.1 1 10").split()]
COPY_SIZES = [float(size) for size in os.environ.get("BENCH_COPY_SIZES", "0.1 1").split()]
FOLDER = Path(os.environ.get("BENCH_FOLDER", tempfile.gettempdir()))
KIND = os.environ.get("BENCH_FS", "xfs")
ROWS_A_GB = 6_700_000
BRANCHES = int(os.environ.get("BENCH_BRANCHES", "5"))


class Prober(threading.Thread):
    """Update single rows of the parent, and remember how long each statement took."""

    def __init__(self, inside: Inside, branch: str) -> None:
        super().__init__(daemon=True)
        self._session = inside.sql(branch)
        self._stopping = threading.Event()
        self.waits: list[tuple[float, float]] = []

    def run(self) -> None:
        """Ask until told to stop."""
        number = 0
        while not self._stopping.wait(0.002):
            number = number % 90_000 + 1
            begun = time.perf_counter()
            self._session.execute("update pgbench_accounts set abalance = 1 where aid = %s", [number])
            self.waits.append((begun, time.perf_counter() - begun))

    def close(self) -> None:
        """Stop asking."""
        self._stopping.set()
        self.join()
        self._session.close()

    def longest(self, first: float, last: float) -> float:
        """Give the longest wait of a statement that ran in this time, in milliseconds."""
        return max((took for at, took in self.waits if at + took >= first and at <= last), default=0.0) * 1000


@contextmanager
def volume(kind: str) -> Iterator[Path | None]:
    """Make a file-cloning volume in a loop file; give None where that is not allowed."""
    image, mount = Path(tempfile.mkdtemp(dir=FOLDER)) / "image", Path(tempfile.mkdtemp(dir=FOLDER))
    try:
        with image.open("wb") as file:
            file.truncate(int((max(SIZES) * 5 + 6) * (1 << 30)))
        for command in ([f"mkfs.{kind}", "-q", str(image)], ["mount", "-o", "loop", str(image), str(mount)]):
            if shutil.which(command[0]) is None or subprocess.run(command, check=False).returncode:
                yield None
                return
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(image.parent)
        mount.rmdir()


def program(inside: Inside, branch: str, *arguments: str) -> list[str]:
    """Give a pgbench command on a branch."""
    compute = inside.plane.computes.start(inside.timeline(branch))
    name = inside.plane.binaries.program("pgbench")
    return [name, "-h", str(compute.place.sockets), "-U", "neondb_owner", *arguments, "neondb"]


def filled(inside: Inside, size: float) -> tuple[str, str]:
    """Make a project of about so many gigabytes; give its id and its branch's."""
    body = {"project": {"name": "bench", "history_retention_seconds": 0}}
    made = inside.call("createProject", body)
    project_id, branch = made["project"]["id"], made["branch"]["id"]
    inside.settled(project_id)
    scale = str(max(1, round(size * ROWS_A_GB / 100_000)))
    command = program(inside, branch, "-i", "-I", "dtGp", "-q", "-s", scale)
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with inside.plane.computes.start(inside.timeline(branch)).admin() as session:
        session.execute("checkpoint")
    kept = {"project": {"history_retention_seconds": 86400}}
    inside.call("updateProject", kept, project_id=project_id)
    inside.plane.computes.stop(inside.timeline(branch))
    inside.plane.computes.start(inside.timeline(branch))
    inside.plane.history.take_base(inside.timeline(branch))
    return project_id, branch


def one_branch(inside: Inside, project_id: str, parent: str, name: str) -> tuple[float, float, float]:
    """Branch and ask; give when it began, when it was answered, and how many seconds that took."""
    begun = time.perf_counter()
    body = {"branch": {"name": name, "parent_id": parent}, "endpoints": [{"type": "read_write"}]}
    made = inside.call("createProjectBranch", body, project_id=project_id)
    inside.settled(project_id)
    with inside.sql(made["branch"]["id"]) as session:
        session.execute("select abalance from pgbench_accounts where aid = 7").fetchone()
    ended = time.perf_counter()
    path = {"project_id": project_id, "branch_id": made["branch"]["id"]}
    inside.call("deleteProjectBranch", query={"hard_delete": "true"}, **path)
    inside.settled(project_id)
    return begun, ended, ended - begun


def branches(inside: Inside, project_id: str, parent: str, what: str) -> None:
    """Print what branches take while the parent does something, and how long its statements wait."""
    prober = Prober(inside, parent)
    prober.start()
    time.sleep(2)
    quiet = time.perf_counter()
    runs = [one_branch(inside, project_id, parent, f"{what}-{n}") for n in range(BRANCHES)]
    prober.close()
    took = sorted(run[2] for run in runs)
    waits = max(prober.longest(begun, ended) for begun, ended, _ in runs)
    before = prober.longest(0, quiet)
    print(
        f"  parent {what:<12} branch to first query: median {took[len(took) // 2]:.2f} s,"
        f" longest {took[-1]:.2f} s; longest statement {waits:.0f} ms (before: {before:.0f} ms)",
        flush=True,
    )


def restores(inside: Inside, timeline: str, size: float) -> None:
    """Print what a restore to a point takes, and how fast the log is replayed."""
    base = inside.plane.history.archive(timeline).usable()[-1]
    position = inside.plane.history.position(timeline)
    behind = (wal.number(position.lsn or "0/0") - base.redo) / (1 << 20)
    begun = time.perf_counter()
    found = inside.plane.history.locate(timeline, Point(timestamp=position.at))
    located = time.perf_counter() - begun
    inside.plane.history.make(timeline, Point(lsn=found.fork.lsn), "restored")
    inside.plane.computes.start("restored")
    took = time.perf_counter() - begun
    inside.plane.computes.stop("restored")
    inside.plane.branches.replace("restored")
    print(
        f"  restore {behind:.0f} MB of log behind a base of {base.size / (1 << 30):.2f} GB: {took:.2f} s,"
        f" {took / size:.2f} s per GB (finding the point {located:.2f} s)",
        flush=True,
    )


def measure(folder: Path, size: float) -> None:
    """Measure one size in one folder."""
    inside = Inside(folder / "local")
    inside.plane.sweeper.close()  # It would put computes to sleep that no endpoint has.
    try:
        project_id, parent = filled(inside, size)
        found = sum(base.size for base in inside.plane.history.archive(inside.timeline(parent)).bases())
        print(f"{inside.plane.cloner.name}, {found / (1 << 30):.2f} GB:", flush=True)
        branches(inside, project_id, parent, "idle")
        load = subprocess.Popen(
            program(inside, parent, "-c", "4", "-T", "600", "-n"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(5)
            branches(inside, project_id, parent, "under pgbench")
        finally:
            load.terminate()
            load.wait()
        restores(inside, inside.timeline(parent), size)
    finally:
        inside.plane.close()
        shutil.rmtree(folder / "local")


def main() -> None:
    """Measure every size on both kinds of folder."""
    print(f"plain folder {FOLDER}")
    for size in COPY_SIZES:
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            measure(Path(folder), size)
    with volume(KIND) as mount:
        if mount is None:
            print(f"no file-cloning volume: making one needs root, loop devices and mkfs.{KIND}")
            return
        print(f"{KIND} in a loop file")
        for size in SIZES:
            measure(mount, size)


if __name__ == "__main__":
    try:
        main()
    except psycopg.Error as error:
        sys.exit(f"PostgreSQL: {error}")
