"""The whole demo, watched from outside: no password of the local Neon leaves it anywhere."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from neondba.local import launch

REPOSITORY = Path(__file__).parents[2]
DEMO = ("review", "examples/taskboard", "--prove", "--format", "json")


class Watch:
    """Passwords the local Neon makes, and every argument list on this machine, while the demo runs."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.passwords: set[str] = set()
        self.arguments: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.passwords |= passwords_in(self.state / "local" / "state.sqlite")
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.arguments.add(process.read_bytes())
                except OSError:
                    continue


def passwords_in(database: Path) -> set[str]:
    """Read the roles' passwords out of the local Neon's own state."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as state:
            return {row[0] for row in state.execute("select password from role") if row[0]}
    except sqlite3.Error:
        return set()


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ndb-"))
    yield folder
    launch.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_no_password_leaves_the_local_neon(state: Path) -> None:
    environment = {**os.environ, "NEONDBA_STATE_DIR": str(state), "NEON_API_KEY": ""}
    with Watch(state) as watch:
        ran = subprocess.run(
            [sys.executable, "-m", "neondba", *DEMO],
            cwd=REPOSITORY, env=environment, capture_output=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 1, ran.stderr.decode()
    assert len(watch.passwords) >= 2, "the watch saw no password, so it would see no leak"
    assert any(b"neondba.local.server" in one for one in watch.arguments)
    logs = b"".join(file.read_bytes() for file in state.rglob("*.log"))
    journal = (state / "journal.sqlite").read_bytes() if (state / "journal.sqlite").exists() else b""
    places = {
        "output": ran.stdout, "errors": ran.stderr, "logs": logs, "journal": journal,
        "arguments": b"\n".join(watch.arguments),
    }  # fmt: skip
    leaks = [name for name, text in places.items() for p in watch.passwords if p.encode() in text]
    assert leaks == []
