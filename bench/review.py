"""Review speed on a large repository, beside ruff and bandit, on one core in one run.

    bench/review.py [FOLDER]      FOLDER defaults to the standard library of the running Python

The three read the same files. They do not do the same work: ruff is Rust and looks at each file by
itself; bandit is Python and looks for security faults; neondba also joins facts across files.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

BAR = 40_000
"""Lines of Python a second and core."""


def copied(folder: Path, place: Path) -> int:
    """Copy the Python files, so that no tool profits from a cache or an ignore file; count lines."""
    lines = 0
    for file in folder.rglob("*.py"):
        if {"site-packages", "test", "__pycache__"} & set(file.parts):
            continue
        target = place / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        lines += file.read_bytes().count(b"\n")
    return lines


def seconds(command: list[str], runs: int = 3) -> tuple[float, float]:
    """Give wall and processor seconds of the best of a few runs, pinned to one core where possible."""
    pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    taken = []
    for _ in range(runs):
        before, started = os.times(), time.perf_counter()
        subprocess.run(
            [*pin, *command], capture_output=True, check=False, env={**os.environ, "RAYON_NUM_THREADS": "1"}
        )
        wall, after = time.perf_counter() - started, os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        taken.append((wall, used))
    return min(taken, key=lambda pair: pair[1])


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(sysconfig.get_path("stdlib"))
    python = sys.executable
    with tempfile.TemporaryDirectory() as place:
        lines = copied(folder, Path(place))
        tools = {
            "neondba": [python, "-m", "neondba", "review", place, "--format", "json"],
            "ruff": [
                python,
                "-m",
                "ruff",
                "check",
                "--no-cache",
                "--isolated",
                "--select",
                "ALL",
                "-q",
                place,
            ],
            "bandit": [python, "-m", "bandit", "-q", "-r", place, "-f", "json"],
        }
        print(f"{folder}: {lines:,} lines of Python, one core, best of 3")
        taken = {name: seconds(command) for name, command in tools.items()}
    ours = taken["neondba"][1]
    for name, (wall, used) in taken.items():
        print(
            f"{name:8} {wall:7.2f} s wall {used:7.2f} s processor {lines / used:10,.0f} lines/s  "
            f"{ours / used:6.2f} x neondba's speed"
        )
    print(f"bar {BAR:,} lines/s of processor time: {'holds' if lines / ours >= BAR else 'MISSED'}")


if __name__ == "__main__":
    main()
