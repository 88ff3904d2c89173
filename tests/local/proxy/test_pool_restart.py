"""A compute that stops or starts again under its pool."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import psycopg
import pytest
from proxied import ENDPOINT, postgres, running

from neondba.postgres.binaries import find

POOLED = f"{ENDPOINT}-pooler"


def control(sockets: Path, *command: str) -> None:
    binaries = find()
    subprocess.run(
        [binaries.program("pg_ctl"), "-D", str(sockets / "data"), "-w", "-l", str(sockets / "log"), *command],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        **binaries.spawn,
    )


@pytest.mark.shows("proxy.pooler-restart")
def test_a_pool_ends_with_its_compute_and_begins_with_it_again(tmp_path: Path, relay: str) -> None:
    with postgres() as sockets, running(sockets, tmp_path, relay=relay) as proxy:
        idle, busy = proxy.connect(POOLED), proxy.connect(POOLED)
        busy.execute("begin")
        idle.execute("select 1")
        words = shlex.split((sockets / "data" / "postmaster.opts").read_text())
        options = " ".join(f"'{word}'" for word in words[words.index("-c") :])
        control(sockets, "-m", "fast", "stop")
        for db, said in ((busy, psycopg.OperationalError), (idle, psycopg.errors.AdminShutdown)):
            try:
                db.execute("select 1")
            except said:
                continue
            raise AssertionError("a client outlived its compute")
        control(sockets, "-o", options, "start")
        with proxy.connect(POOLED) as db:
            assert db.execute("select 1").fetchone() == (1,)
