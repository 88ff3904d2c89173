"""A scratch server lives exactly as long as its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neondba.postgres.connect import connect
from neondba.postgres.scratch import scratch_server

OWNER = """
import sys
from neondba.postgres.scratch import scratch_server
with scratch_server() as url:
    print(url.reveal(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    """Run a scratch server in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        yield process
        process.kill()


def _place(url: str) -> Path:
    return Path(url.strip().partition("host=")[2])


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"


def test_a_scratch_server_is_gone_after_its_block() -> None:
    with scratch_server() as url, connect(url) as session:
        place = _place(url.reveal())
        pid = int((place / "data" / "postmaster.pid").read_text().split()[0])
        assert session.execute("select 1 as one").fetchone() == {"one": 1}
    _until(lambda: not Path(f"/proc/{pid}").exists())
    assert not place.parent.exists()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="the guardian looks into /proc")
def test_a_scratch_server_ends_when_its_owner_is_killed(owner: subprocess.Popen[bytes]) -> None:
    assert owner.stdout is not None
    place = _place(owner.stdout.readline().decode())
    pid = int((place / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(owner.pid, signal.SIGKILL)
    _until(lambda: not Path(f"/proc/{pid}").exists() and not place.parent.exists())
