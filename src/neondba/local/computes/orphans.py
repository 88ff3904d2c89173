"""PostgreSQL processes that a killed server left behind over our directories."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0


def sweep(folder: Path) -> int:
    """End every PostgreSQL process below this folder; give how many.

    No server of ours runs yet when this is called, so whatever is found is an orphan.
    """
    found = list(_below(folder))
    for number in (signal.SIGQUIT, signal.SIGKILL):
        for pid in _below(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not any(_below(folder)):
                return len(found)
            time.sleep(0.005)
    return len(found)


def _below(folder: Path) -> Iterator[int]:
    if not Path("/proc/self/cwd").exists():
        yield from _by_pid_file(folder)
        return
    top = f"{folder.resolve()}/"
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            program = (entry / "exe").readlink().name.removesuffix(" (deleted)")
            if program == "postgres" and str((entry / "cwd").readlink()).startswith(top):
                yield int(entry.name)


def _by_pid_file(folder: Path) -> Iterator[int]:
    """Ask `ps` where there is no /proc: a pid may have been used again."""
    import subprocess

    for file in [*folder.glob("*/data/postmaster.pid"), *folder.glob("data/postmaster.pid")]:
        pid = file.read_text().split("\n", 1)[0]
        asked = subprocess.run(
            ["/bin/ps", "-o", "args=", "-p", pid], capture_output=True, text=True, check=False
        )
        if str(file.parent) in asked.stdout:
            yield int(pid)
