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


def seconds(command: list[str], runs: int = 3) -> float:
    """Give the best of a few runs, pinned to one core where that can be done."""
    pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(
            [*pin, *command], capture_output=True, check=False, env={**os.environ, "RAYON_NUM_THREADS": "1"}
        )
        best = min(best, time.perf_counter() - started)
    return best


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
    for name, spent in taken.items():
        print(
            f"{name:8} {spent:7.2f} s  {lines / spent:10,.0f} lines/s  "
            f"{taken['neondba'] / spent:6.2f} x neondba's speed"
        )
    verdict = "holds" if lines / taken["neondba"] >= BAR else "MISSED"
    print(f"bar {BAR:,} lines/s: {verdict}")


if __name__ == "__main__":
    main()
