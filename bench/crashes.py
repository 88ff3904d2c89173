"""Kill the server, a compute, or both at random points while operations run; compare with what was promised.

Run: python bench/crashes.py. COUNT (200) is how many points, SEED the randomness (printed), FIRST the point
to begin at, BENCH_FOLDER where the state is kept. Exit status 1 if anything was wrong at any point.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests" / "local"
sys.path[:0] = [str(TESTS), str(TESTS / "crash")]

COUNT = int(os.environ.get("COUNT", "200"))
FIRST = int(os.environ.get("FIRST", "0"))
SEED = os.environ.get("SEED") or secrets.token_hex(4)
FOLDER = os.environ.get("BENCH_FOLDER")


def main() -> int:
    """Go through the points; print each that is wrong, and the sum."""
    state, temporary = (Path(tempfile.mkdtemp(prefix="ndbc-", dir=each)) for each in (FOLDER, "/tmp"))
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    for each in (state, temporary):
        each.chmod(0o711)
    from crash_points import Crashes, Place, ended

    place = Place(state / "state", temporary)
    print(f"seed {SEED}, points {FIRST} to {FIRST + COUNT - 1}, state in {state}", flush=True)
    crashes, points = Crashes(place, SEED), []
    try:
        for number in range(FIRST, FIRST + COUNT):
            point = crashes.point(number)
            points.append(point)
            print(
                f"{number:4} {point.kind:8} after {point.after:.2f} s, {point.killed} killed,"
                f" in flight {', '.join(point.inflight) or '-'}; {point.took:.1f} s;"
                f" {len(point.faults)} faults",
                flush=True,
            )
            for fault in point.faults:
                print(f"     FAULT {fault}", flush=True)
    finally:
        ended(place)
    left = [str(each) for each in temporary.iterdir()]
    wrong = sum(bool(point.faults) for point in points)
    flying = sum(bool(point.inflight) for point in points)
    rows = sum(len(shop.acknowledged) for shop in crashes.shops)
    print(
        f"{len(points)} points, seed {SEED}: {dict(Counter(point.kind for point in points))};"
        f" operations in flight at {flying}; {rows} commits acknowledged;"
        f" {sum(point.killed for point in points)} processes killed; {wrong} points with faults; left: {left}"
    )
    print(f"done: {dict(sorted(crashes.done.items()))}")
    print(f"answers: {dict(sum((Counter(shop.answers) for shop in crashes.shops), Counter()))}")
    for each in (state, temporary):
        shutil.rmtree(each)
    return 1 if wrong or left else 0


if __name__ == "__main__":
    sys.exit(main())
