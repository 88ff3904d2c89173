"""Connections to the past: a read-only compute over a timeline as it was at a point.

Each is a standby that follows nobody, over a directory of its own: no setting, role or function can make
it take a write. It belongs to no row of the state, so a start after a crash removes what is left of it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ArgumentProblem
from neondba.local.computes.manager import Computes, programs_of
from neondba.local.computes.process import Compute
from neondba.local.routing import Moment
from neondba.local.storage.point import Point
from neondba.postgres.binaries import Binaries

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

IDLE_LIMIT: Final = 30.0
"""Seconds without a connection, as on Neon."""
BETWEEN_LOOKS: Final = 1.0
LSN: Final = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
CONNECTED: Final = (
    "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
)
AT_LEAST: Final = re.compile(r"^(max_\w+) setting:\s+(\d+)$", re.MULTILINE)
NAMES: Final = {
    "max_prepared_xacts": "max_prepared_transactions",
    "max_locks_per_xact": "max_locks_per_transaction",
}
FOLLOWS_NOBODY: Final = {"hot_standby": "on", "primary_conninfo": "", "restore_command": ""}


def point(moment: Moment) -> Point:
    """Read what a client has written.

    Raises:
        ArgumentProblem: it is no place in the log, or no moment.
    """
    if moment.lsn is not None:
        if not LSN.fullmatch(moment.lsn):
            raise _unreadable("neon_lsn", moment.lsn, "0/1A2B3C8")
        return Point(lsn=moment.lsn.upper())
    try:
        found = datetime.fromisoformat(moment.timestamp or "")
    except ValueError:
        raise _unreadable("neon_timestamp", moment.timestamp, "2026-01-31T12:00:00Z") from None
    return Point(timestamp=(found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC))


def _unreadable(name: str, given: str | None, example: str) -> ArgumentProblem:
    return ArgumentProblem(
        "point-unreadable", f"{name}: {given} cannot be read.", hint=f"Write it as {name}:{example}."
    )


class TimeTravel:
    """The computes over past states, one for each timeline and point."""

    def __init__(self, plane: Plane, sockets: Path) -> None:
        self._plane = plane
        self._timelines: dict[str, str] = {}
        self._wanted: dict[str, float] = {}
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._computes = Computes(plane.binaries, plane.branches, sockets, self._settings)

    def wake(self, timeline_id: str, at: Point) -> Compute:
        """Give the compute over a timeline as it was, made if it is not there.

        Raises:
            ArgumentProblem: the point is outside the history window.
        """
        name = _name(timeline_id, at)
        with self._computes.held(name):
            self._timelines[name] = timeline_id
            self._want(name)
            self._plane.history.make(timeline_id, at, name)
            self._stand_by(name)
            compute = self._computes.start(name)
            self._want(name)
            return compute

    def sweep(self) -> list[str]:
        """Stop and remove the computes that nobody has been connected to for a while; give their names."""
        return [name for name in list(self._wanted) if self._idle(name) and self._remove(name)]

    def close(self) -> None:
        """Stop and remove all."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        for name in list(self._wanted):
            self._remove(name, always=True)

    def names(self) -> list[str]:
        """Give the names of the directories in use."""
        return list(self._wanted)

    def _want(self, name: str) -> None:
        with self._guard:
            self._wanted[name] = self._plane.clock.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._rounds, name="time-travel", daemon=True)
                self._thread.start()

    def _stand_by(self, name: str) -> None:
        signal = self._plane.branches.data(name) / "standby.signal"
        signal.touch(mode=0o600)
        if self._plane.branches.owner is not None:
            os.chown(signal, *self._plane.branches.owner)

    def _settings(self, name: str) -> Mapping[str, str]:
        asked = self._plane.compute_settings(self._timelines[name])
        kept = {key: value for key, value in asked.items() if not key.startswith("archive_")}
        data = self._plane.branches.data(name)
        programs = programs_of(self._plane.branches.major(name))
        for setting, least in _floor(programs, data).items():
            kept[setting] = str(max(least, int(kept.get(setting, 0))))
        return {**kept, **FOLLOWS_NOBODY}

    def _idle(self, name: str) -> bool:
        compute = self._computes.running(name)
        if compute is None:
            return True
        if self._wanted_lately(name):
            return False
        with compute.admin() as session:
            row = session.execute(CONNECTED).fetchone()
        if row is not None and row[0]:
            self._want(name)
            return False
        return True

    def _remove(self, name: str, *, always: bool = False) -> bool:
        with self._computes.held(name):
            if not always and self._computes.running(name) is not None and self._wanted_lately(name):
                return False
            self._computes.stop(name, at_once=True)
            self._plane.branches.replace(name)
            with self._guard:
                self._wanted.pop(name, None)
            return True

    def _wanted_lately(self, name: str) -> bool:
        return self._plane.clock.monotonic() - self._wanted.get(name, 0.0) < IDLE_LIMIT

    def _rounds(self) -> None:
        while not self._closing.wait(BETWEEN_LOOKS):
            try:
                self.sweep()
            except Exception:
                logging.getLogger(__name__).exception("a look at the computes over the past failed")


def _floor(programs: Binaries, data: Path) -> dict[str, int]:
    """Give what a standby must have at least: PostgreSQL refuses reads on one that has less."""
    said = subprocess.run(
        [programs.program("pg_controldata"), programs.within(data)],
        cwd=data,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
        **programs.spawn,
    ).stdout
    found = {found[1]: int(found[2]) for found in AT_LEAST.finditer(said)}
    return {NAMES.get(name, name): value for name, value in found.items()}


def _name(timeline_id: str, at: Point) -> str:
    told = f"{timeline_id} {at.lsn} {at.timestamp and at.timestamp.isoformat()}"
    return f"past-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
