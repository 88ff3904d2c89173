"""Create and delete fifty branches at once under write load on their parent; check every one that remains.

Run: python bench/concurrency.py. BRANCHES (50) is how many, ROWS (200000) how many more rows the parent has,
BENCH_FOLDER where the state is kept. Exit status 1 if anything failed or was found wrong.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg

TESTS = Path(__file__).parents[1] / "tests" / "local"
sys.path[:0] = [str(TESTS), str(TESTS / "crash")]

COUNT = int(os.environ.get("BRANCHES", "50"))
ROWS = int(os.environ.get("ROWS", "200000"))
FOLDER = os.environ.get("BENCH_FOLDER")


def main() -> int:
    """Run the crowd, check, print the table."""
    state, temporary = (Path(tempfile.mkdtemp(prefix="ndbc-", dir=each)) for each in (FOLDER, "/tmp"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    for each in (state, temporary):
        each.chmod(0o711)
    from crash_checks import Place, nothing_unowned
    from crash_shop import opened
    from crowd import checked, run

    from neondba.local import launch

    running = launch.ensure(state / "state")
    place, shop = Place(state / "state", temporary), opened(running.api_port, "crowd")
    try:
        with psycopg.connect(shop.uri(shop.main), autocommit=True) as session:
            fill = f"select g, md5(g::text) as word from generate_series(1, {ROWS}) g"
            session.execute(f"create table big as {fill}")
            session.execute("create index on big (word)")
        begun = time.monotonic()
        crowd = run(shop, COUNT)
        took = time.monotonic() - begun
        commits, begun = len(shop.acknowledged), time.monotonic()
        found, faults = checked(place, shop)
        nothing_unowned(place, [shop])
        faults = [*crowd.failed, *faults]
        lines = {
            "files are cloned by": running.cloned_by,
            "branches created at once": len(crowd.created),
            "of these deleted again": len(crowd.deleted),
            "seconds": f"{took:.1f}",
            "a creation, median and longest, s": f"{_middle(crowd.created):.2f}, {max(crowd.created):.2f}",
            "a deletion, median and longest, s": f"{_middle(crowd.deleted):.2f}, {max(crowd.deleted):.2f}",
            "423 answers, tried again": crowd.retried,
            "commits on the parent meanwhile": commits,
            "statements probed on the parent": len(crowd.waits),
            "a statement, median and longest, ms": f"{_middle(crowd.waits) * 1000:.1f},"
            f" {max(crowd.waits) * 1000:.0f}",
            "branches checked, the parent too": found,
            "seconds to check (pg_amcheck --heapallindexed, rows, sums)": f"{time.monotonic() - begun:.1f}",
            "failures": len(faults),
        }
        for name, value in lines.items():
            print(f"{name:<60} {value}")
        for fault in faults:
            print(f"FAULT {fault}")
        return 1 if faults else 0
    finally:
        launch.stop(state / "state")
        for each in (state, temporary):
            shutil.rmtree(each)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


if __name__ == "__main__":
    sys.exit(main())
