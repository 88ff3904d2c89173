"""One PostgreSQL server process: start it, ask it, stop it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.problem import RemoteProblem
from neondba.local import sql
from neondba.local.computes.sizes import settings_of
from neondba.neon.limits import RESERVED_CONNECTIONS, SMALLEST, Size
from neondba.postgres.binaries import Binaries

if TYPE_CHECKING:
    from neondba.postgres.admin import AdminSession

ADMIN: Final = "cloud_admin"
SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "superuser_reserved_connections": str(RESERVED_CONNECTIONS),
    "wal_level": "replica",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "wal_sender_timeout": "10s",
    "max_parallel_workers": "8",
    "restart_after_crash": "off",
    "hot_standby_feedback": "on",
    "max_wal_size": "256MB",
    "min_wal_size": "16MB",
    "jit": "off",
    "io_method": "sync",
    "huge_pages": "off",
    "recovery_init_sync_method": "syncfs" if os.uname().sysname == "Linux" else "fsync",
    "idle_in_transaction_session_timeout": "300000",
    "client_connection_check_interval": "60000",
    "password_encryption": "scram-sha-256",
    "timezone": "GMT",
    "log_timezone": "GMT",
    "log_connections": "on",
    "log_checkpoints": "off",
    # Statistics do not outlive a compute on Neon.
    "pg_stat_statements.save": "off",
    # A failing statement may hold a password: it must not reach the log.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
NEWER: Final = {"io_method": 18}
"""Settings that older releases do not know, and the release that brought them."""
START_LIMIT: Final = 60.0
CAUSE: Final = re.compile(r"FATAL|PANIC|terminated by signal|exited with exit code")
ROOM_FOR_ONE: Final = 60
ROOM_FOR_NAMES: Final = 30
"""Bytes of a folder that is to hold a socket's folder, or a folder of folders named as computes."""


@dataclass(frozen=True)
class Place:
    """Where one compute has its things."""

    data: Path
    sockets: Path
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """What this compute's size, history and endpoint ask for, over `SETTINGS`."""


class Compute:
    """A running PostgreSQL server."""

    def __init__(self, binaries: Binaries, place: Place, process: subprocess.Popen[bytes]) -> None:
        self._binaries = binaries
        self.place = place
        self.process = process
        self.announced = False
        """Set when the endpoint says that it is awake."""

    @property
    def socket(self) -> str:
        """The path of its Unix socket."""
        return str(self.place.sockets / ".s.PGSQL.5432")

    def alive(self) -> bool:
        """Tell whether the process is still there."""
        return self.process.poll() is None

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[AdminSession]:
        """Connect as the superuser that no client can be."""
        from neondba.postgres.admin import connect_socket

        with connect_socket(self.place.sockets, ADMIN, database) as session:
            yield session

    def sessions_at_work(self, seconds: float) -> int:
        """Count what keeps it awake: statements in the last seconds, subscribers and the like."""
        with self.admin() as connection:
            row = connection.execute(sql.text("activity").encode(), [seconds]).fetchone()
        return int(row[0]) if row is not None else 0

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it: cleanly, or at once when its data are about to go."""
        for number, limit in [
            (signal.SIGQUIT if at_once else signal.SIGINT, 30.0),
            (signal.SIGQUIT, 10.0),
            (signal.SIGKILL, 10.0),
        ]:
            self._signal(number)
            try:
                self.process.wait(limit)
                break
            except subprocess.TimeoutExpired:
                continue
        self.clear()

    def clear(self) -> None:
        """Remove its socket folder; it no longer runs."""
        for left in self.place.sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)
        with suppress(OSError):
            self.place.sockets.rmdir()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


def start(binaries: Binaries, place: Place) -> Compute:
    """Start a server and wait until it takes connections.

    Raises:
        RemoteProblem: it ended, or was not ready in time; the log's last lines are given.
    """
    place.sockets.mkdir(mode=0o700, exist_ok=True)
    if binaries.owner is not None:
        os.chown(place.sockets, *binaries.owner)
    arguments = [binaries.program("postgres"), "-D", binaries.within(place.data)]
    wanted = {**SETTINGS, **settings_of(Size(SMALLEST, SMALLEST)), **place.settings}
    for name, value in {**wanted, "unix_socket_directories": str(place.sockets)}.items():
        if NEWER.get(name, 0) <= binaries.major:
            arguments += ["-c", f"{name}={value}"]
    place.log.unlink(missing_ok=True)
    # Appended to, so that it can be cut while PostgreSQL writes.
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            arguments,
            cwd=place.data,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            start_new_session=True,
            **binaries.spawn,
        )
    compute = Compute(binaries, place, process)
    _await_ready(compute)
    return compute


def _await_ready(compute: Compute) -> None:
    """Watch the pid file, which says `ready` before a first connection could."""
    pid_file, deadline = compute.place.data / "postmaster.pid", time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        with suppress(OSError, IndexError, ValueError):
            lines = pid_file.read_text().splitlines()
            if int(lines[0]) == compute.process.pid and lines[7].strip() == "ready":
                return
        if not compute.alive():
            raise _did_not_start(compute.place, "ended at once")
        time.sleep(0.003)
    compute.stop(at_once=True)
    raise _did_not_start(compute.place, f"was not ready after {START_LIMIT:.0f} s")


def _did_not_start(place: Place, why: str) -> RemoteProblem:
    lines = place.log.read_text(errors="replace").strip().splitlines()
    # What PostgreSQL says on its way down hides what brought it down.
    lines = ([line for line in lines if CAUSE.search(line)] or lines)[-3:]
    return RemoteProblem(
        "compute-did-not-start",
        f"The compute over {place.data} {why}. Its log says: {' / '.join(lines) or 'nothing'}",
        hint=f"Read {place.log}. A full disk and a missing /dev/shm are the usual causes.",
        log=str(place.log),
    )


def short_folder(longest: int = ROOM_FOR_ONE) -> str:
    """Give a temporary folder that leaves room in a socket's 107 bytes."""
    import tempfile

    usual = tempfile.gettempdir()
    return usual if len(usual) <= longest else "/tmp"  # noqa: S108
