"""Review speed and memory on large repositories, beside ruff and bandit, on one core in one run.

    bench/review.py [FOLDER …]      without one: the standard library of the running Python

Each folder is copied first, so that no tool profits from a cache or an ignore file. Lines are lines of
code: Python, TypeScript, JavaScript, SQL, Prisma; ruff and bandit read the Python among them. They do not
do the same work: ruff is Rust and looks at each file by itself; bandit is Python and looks for security
faults; neondba also joins facts across files and languages.

`cold` is the first review, `warm` the same again, `changed` one after an edit of a single file (the
slowest of three files, each imported by others). Seconds are of the whole process; a rate is by
processor time.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

BAR_COLD = 40_000
"""Lines of code a second and core."""
BAR_WARM = 1.0
"""Seconds of processor time a 100,000 lines, and at least for a smaller folder."""
BAR_MEMORY = 600
"""Megabytes for 700,000 lines, and at least for a smaller folder."""

PYTHON = (".py", ".pyi")
CODE = (*PYTHON, ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs", ".sql", ".prisma")
LEFT_OUT = {".git", "node_modules", "site-packages", "test", "__pycache__", ".venv"}


@dataclass
class Run:
    wall: float
    processor: float
    megabytes: float


def copied(folder: Path, place: Path) -> tuple[int, int]:
    """Copy the files; count the lines of code, and of Python among them."""
    code = python = 0
    for file in folder.rglob("*"):
        if LEFT_OUT & set(file.relative_to(folder).parts) or file.is_symlink() or not file.is_file():
            continue
        if folder == Path(sysconfig.get_path("stdlib")) and file.suffix != ".py":
            continue
        target = place / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        if file.name.endswith(CODE) and file.stat().st_size <= 4_000_000:
            lines = file.read_bytes().count(b"\n")
            code += lines
            python += lines if file.name.endswith(PYTHON) else 0
    return code, python


def measured(command: list[str], environment: dict[str, str], status: set[int]) -> Run:
    """Run a command on one core where possible; give its time and peak memory."""
    pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    with tempfile.TemporaryFile() as output:
        started = perf_counter()
        child = subprocess.Popen([*pin, *command], stdout=output, stderr=output, env=environment)
        _, code, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
        wall = perf_counter() - started
        if child.returncode not in status:
            output.seek(0)
            sys.exit(f"{command} failed: {output.read()[-500:].decode(errors='replace')}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def best(runs: list[Run]) -> Run:
    return min(runs, key=lambda run: run.processor)


def edited(place: Path) -> list[Path]:
    """Give three files that others import: the largest one, and two of the middle."""
    files = sorted(
        (f for f in place.rglob("*") if f.suffix in (".py", ".ts", ".tsx")), key=lambda f: f.stat().st_size
    )
    return [files[-1], files[len(files) // 2], files[len(files) * 3 // 4]]


def reviews(place: Path, caches: Path) -> dict[str, Run]:
    """Review a folder three times cold, warm, and after three edits."""
    command = [sys.executable, "-m", "neondba", "review", str(place), "--format", "json"]
    cold, warm, changed = [], [], []
    for number in range(3):
        environment = {**os.environ, "XDG_CACHE_HOME": str(caches / str(number))}
        cold.append(measured(command, environment, {0, 1}))
        warm.append(measured(command, environment, {0, 1}))
    for file in edited(place):
        text = file.read_text(errors="replace")
        file.write_text(text + ("\n# edited\n" if file.suffix == ".py" else "\n// edited\n"))
        changed.append(measured(command, environment, {0, 1}))
    return {
        "cold": best(cold),
        "warm": best(warm),
        "changed": max(changed, key=lambda run: run.processor),
    }


def compared(folder: Path) -> bool:
    """Measure one folder; tell whether the bars hold."""
    with tempfile.TemporaryDirectory() as temporary:
        place, caches = Path(temporary, "project"), Path(temporary, "caches")
        code, python = copied(folder, place)
        print(f"{folder}: {code:,} lines of code, {python:,} of them Python; one core, best of 3")
        ours = reviews(place, caches)
        lines = {f"neondba {name}": code for name in ours} | {"ruff": python, "bandit": python}
        taken = {f"neondba {name}": run for name, run in ours.items()}
        if python:
            ruff = [
                sys.executable,
                "-m",
                "ruff",
                "check",
                "--no-cache",
                "--isolated",
                "--select",
                "ALL",
                "-q",
            ]
            bandit = [sys.executable, "-m", "bandit", "-q", "-r", str(place), "-f", "json"]
            alone = {**os.environ, "RAYON_NUM_THREADS": "1"}
            taken["ruff"] = best([measured([*ruff, str(place)], alone, {0, 1, 2}) for _ in range(2)])
            taken["bandit"] = measured(bandit, alone, {0, 1})
    rates = {name: lines[name] / run.processor for name, run in taken.items()}
    for name, run in taken.items():
        print(
            f"{name:16}{run.wall:8.2f} s{run.processor:8.2f} s processor{rates[name]:12,.0f} lines/s"
            f"{run.megabytes:7.0f} MB{rates['neondba cold'] / rates[name]:8.2f} x as fast is neondba cold"
        )
    bars = {
        f"cold {BAR_COLD:,} lines/s": rates["neondba cold"] >= BAR_COLD,
        f"warm {BAR_WARM} s a 100,000 lines": ours["warm"].processor <= BAR_WARM * max(1, code / 100_000),
        f"memory {BAR_MEMORY} MB a 700,000 lines": ours["cold"].megabytes
        <= BAR_MEMORY * max(1, code / 700_000),
    }
    print("bars: " + ", ".join(f"{bar} {'holds' if held else 'MISSED'}" for bar, held in bars.items()))
    return all(bars.values())


def main() -> None:
    folders = [Path(given) for given in sys.argv[1:]] or [Path(sysconfig.get_path("stdlib"))]
    held = [compared(folder.resolve()) for folder in folders]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
