"""pgbench beside the processor time of what stands between it and PostgreSQL."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from neondba.postgres.binaries import find

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests/local/proxy"))

from proxied import PASSWORD, Running

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Way:
    """A way to the database, and the process in the middle: 0 is ours, None is nobody."""

    name: str
    where: str
    process: int | None = None


def environment() -> dict[str, str]:
    """Give pgbench a libpq that speaks TLS: the wheel's is built without."""
    libraries = Path(psycopg.__file__).parent.parent / "psycopg_binary.libs"
    (libpq,) = libraries.glob("libpq-*")
    return {**os.environ, "LD_PRELOAD": str(libpq), "PGPASSWORD": PASSWORD}


def fill(where: str) -> None:
    """Make pgbench's tables."""
    command = [find().program("pgbench"), "-i", "-q", "-s", "5", where]
    subprocess.run(command, env=environment(), check=True, capture_output=True)


def used(process: int | None) -> float:
    """Give the processor seconds that a process has used."""
    if process is None:
        return 0.0
    if process == 0:
        mine = resource.getrusage(resource.RUSAGE_SELF)
        return mine.ru_utime + mine.ru_stime
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rate(way: Way, clients: int, mode: str, seconds: int = SECONDS) -> tuple[float, float]:
    """Give transactions a second, and microseconds of processor in the middle for each."""
    command = [find().program("pgbench"), "-S", "-n", "-M", mode, "-c", str(clients), "-j", "1"]
    before = used(way.process)
    done = subprocess.run(
        [*command, "-T", str(seconds), way.where],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{way.name}: {done.stderr[-500:]}")
    taken = used(way.process) - before
    count = re.search(r"actually processed: ([0-9]+)", done.stdout)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        # Logging in took all the time.
        return 0.1, 0.0
    return float(found[1]), taken / int(count[1]) * 1e6


def compare(ways: list[Way], clients: int, mode: str, bases: list[int]) -> None:
    """Print each way's medians, and its ratio to some of the others, round by round."""
    for way in ways:
        # Pools open their connections one after the other.
        rate(way, clients, mode, 2)
    rounds = [[rate(way, clients, mode) for way in ways] for _ in range(ROUNDS)]
    for at, way in enumerate(ways):
        tps = median(each[at][0] for each in rounds)
        cost = median(each[at][1] for each in rounds)
        ratios = [median(each[at][0] / each[base][0] for each in rounds) for base in bases]
        shown = "".join(
            f"   {ratio:5.2f} of {ways[base].name}"
            for ratio, base in zip(ratios, bases, strict=True)
            if at != base
        )
        middle = f"{cost:5.1f} us in the middle" if way.process is not None else " " * 23
        print(f"{mode:>9} {clients:>3} clients {way.name:<34} {tps:>8.0f} tps {middle}{shown}", flush=True)
    print(f"{'':>9} load of the machine: {os.getloadavg()[0]:.1f}", flush=True)


def through(proxy: Running, label: str) -> str:
    """Give the connection string to one of the proxy's hosts."""
    place = f"host={label}.localhost hostaddr=127.0.0.1 port={proxy.proxy.port}"
    return f"{place} user=app dbname=shop sslmode=require"


@contextmanager
def pgbouncer(folder: Path, sockets: Path, port: int, pool: int, tls: Running | None) -> Iterator[Way]:
    """Run a real PgBouncer with Neon's settings."""
    folder.mkdir()
    (folder / "users.txt").write_text(f'"app" "{PASSWORD}"\n')
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "auth_file": folder / "users.txt",
        "pool_mode": "transaction",
        "max_client_conn": 10000,
        "default_pool_size": pool,
        "ignore_startup_parameters": "extra_float_digits",
        "logfile": folder / "log",
    }
    if tls is not None:
        for name in ("certificate", "key"):
            shutil.copy(getattr(tls.certificates, name), folder / name)
        settings |= {
            "client_tls_sslmode": "require",
            "client_tls_cert_file": folder / "certificate",
            "client_tls_key_file": folder / "key",
        }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    database = f"shop = host={sockets} port=5432"
    (folder / "pgbouncer.ini").write_text("\n".join(["[databases]", database, "[pgbouncer]", *lines]) + "\n")
    as_root = ["-u", "postgres"] if os.getuid() == 0 else []
    if as_root:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "postgres")
    command = ["pgbouncer", "-q", *as_root, str(folder / "pgbouncer.ini")]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        mode = "disable" if tls is None else "require"
        where = f"host=127.0.0.1 port={port} user=app dbname=shop sslmode={mode}"
        for _ in range(100):
            if (
                subprocess.run(
                    ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
                ).returncode
                == 0
            ):
                break
            time.sleep(0.05)
        yield Way("pgbouncer" + ("" if tls is None else " with TLS"), where, running.pid)
    finally:
        running.terminate()
        running.wait()
