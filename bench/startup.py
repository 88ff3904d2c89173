"""Measure how long the command takes to start, beside programs that do nothing.

Run: python bench/startup.py [runs]. Programs take turns, so that a slow moment hits all of them.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "ruff --help": [shutil.which("ruff") or "ruff", "--help"],
    "neondba --help": [sys.executable, "-m", "neondba", "--help"],
    "neondba --version": [sys.executable, "-m", "neondba", "--version"],
    "neondba operation list": [sys.executable, "-m", "neondba", "operation", "list"],
}


def seconds(command: list[str]) -> float:
    """Run once; give the wall time."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print the fastest, middle and slowest run of each program, in milliseconds."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs):
        for name, command in PROGRAMS.items():
            times[name].append(seconds(command) * 1000)
    base = statistics.median(times["python -c pass"])
    print(f"{'program':<24}{'min':>8}{'median':>8}{'max':>8}   ms, {runs} runs; x = times an idle Python")
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:<24}{min(taken):>8.0f}{middle:>8.0f}{max(taken):>8.0f}   {middle / base:.1f} x")


if __name__ == "__main__":
    main()
