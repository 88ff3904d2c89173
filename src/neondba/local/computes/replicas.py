"""Read replicas: streaming standbys over clones of their branches.

A replica follows its primary over the primary's Unix socket while that is awake. When it wakes it
first takes the log that the primary has written meanwhile, so it needs no primary that is awake; if
that log is gone, or the branch was given other data, it is cloned again.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.local.computes.manager import programs_of
from neondba.local.computes.process import ADMIN, Compute
from neondba.local.state.tables import BranchRow, EndpointRow
from neondba.local.storage import backup, wal
from neondba.local.storage.cloner import clone_file

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

PREFIX: Final = "ep-"
"""How endpoints' ids begin, and so replicas' directories; timelines' do not."""
FOLLOWS: Final = "neondba.follows"
"""Holds the name of the timeline that a replica's directory was cloned from."""
APPLICATION: Final = "neondba_replica"
CATCH_UP: Final = 15.0
"""Seconds a waking replica is given to reach where its primary is."""
MOST_REPLAYED: Final = 16
"""Segments of log that a waking replica replays before cloning again is thought of."""
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
AT_LEAST: Final = {
    "max_connections": "max_connections setting:",
    "max_worker_processes": "max_worker_processes setting:",
    "max_locks_per_transaction": "max_locks_per_xact setting:",
}
_NUMBER: Final = re.compile(r"\d+")
_WRITTEN: Final = b"select pg_current_wal_flush_lsn()::text"
_REPLAYED: Final = b"select 1 where pg_last_wal_replay_lsn() >= %s::pg_lsn"
_OUT_OF_LOG: Final = b"""select 1 from pg_stat_activity where backend_type = 'startup'
and wait_event in ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval')"""
_NEEDED: Final = re.compile(r"^Latest checkpoint's REDO WAL file:\s+([0-9A-F]{24})", re.MULTILINE)


class Replicas:
    """All read replicas of a local Neon."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def followed(self, name: str) -> str | None:
        """Give the timeline that a compute follows; None when it is no replica."""
        if not name.startswith(PREFIX):
            return None
        with self._plane.state.read() as rows:
            endpoint = rows.get(EndpointRow, name)
            branch = rows.get(BranchRow, endpoint.branch_id) if endpoint is not None else None
        return branch.timeline_id if branch is not None else None

    def settings(self, name: str, asked: Mapping[str, str]) -> dict[str, str]:
        """Give the settings of a standby; none for another compute.

        It may not have less of some than its primary had where its log begins.
        """
        primary = self.followed(name)
        if primary is None:
            return {}
        place = str(self._plane.computes.sockets(primary)).replace("\\", "\\\\").replace("'", "\\'")
        said = self._control(name)
        floor = {key: _NUMBER.search(said.partition(title)[2]) for key, title in AT_LEAST.items()}
        raised = {
            key: found[0] for key, found in floor.items() if found and int(found[0]) > int(asked.get(key, 0))
        }
        return raised | {
            "primary_conninfo": f"host='{place}' port=5432 user={ADMIN} application_name={APPLICATION}",
            "wal_receiver_create_temp_slot": "on",
            "wal_retrieve_retry_interval": "1s",
        }

    def prepare(self, name: str) -> None:
        """Make a replica's directory, or bring its log up to its primary's, before it starts."""
        primary = self.followed(name)
        if primary is None:
            return
        with self._plane.computes.held(primary) as compute:
            if not self._follows(name, primary):
                self._plane.branches.replace(name)
                self._make(name, primary, compute)
            else:
                self._take_log(name, primary)

    def caught_up(self, name: str, compute: Compute) -> None:
        """Wait until a waking replica is where its primary is now.

        It takes connections as soon as its data is consistent, which is before it has replayed all it has.
        """
        primary = self.followed(name)
        if primary is None:
            return
        done, reached = _OUT_OF_LOG, None
        if ahead := self._plane.computes.running(primary):
            with ahead.admin() as connection:
                done, reached = _REPLAYED, connection.execute(_WRITTEN).fetchone()
        deadline = time.monotonic() + CATCH_UP
        with compute.admin() as connection:
            while not connection.execute(done, reached).fetchone() and time.monotonic() < deadline:
                time.sleep(0.01)

    def forget(self, name: str) -> None:
        """Delete a replica's compute and directory."""
        self._plane.computes.stop(name, at_once=True)
        self._plane.branches.replace(name)

    def sweep(self) -> None:
        """Delete what is left of replicas whose endpoint is gone."""
        folder = self._plane.branches.folder
        found = [entry.name for entry in folder.iterdir() if entry.name.startswith(PREFIX)]
        if not found:
            return
        with self._plane.state.read() as rows:
            known = {row.id for row in rows.all(EndpointRow, type="read_only")}
        for name in found:
            if name.partition(".")[0] not in known:
                self.forget(name)

    def _follows(self, name: str, primary: str) -> bool:
        """Tell whether the directory can go on from where it is."""
        try:
            if (self._plane.branches.data(name) / FOLLOWS).read_text() != primary:
                return False
        except FileNotFoundError:
            return False
        needed, log = self._needed(name), self._log(primary)
        return needed in log and not self._far_behind(primary, sum(each > needed for each in log))

    def _far_behind(self, primary: str, segments: int) -> bool:
        """Tell whether cloning again is less work than replaying so much log."""
        if segments <= MOST_REPLAYED:
            return False
        if self._plane.history.cloner.name != "copy":
            return True
        size = 0
        for file in (self._plane.branches.data(primary) / "base").glob("*/*"):
            # The primary drops files while it runs.
            with suppress(FileNotFoundError):
                size += file.stat().st_size
        return size < segments * wal.SEGMENT

    def _log(self, primary: str) -> dict[str, Path]:
        """Give the segments of a timeline's log that are there, kept ones too, and where."""
        found: dict[str, Path] = {}
        for folder in (
            self._plane.history.archive(primary).wal,
            self._plane.branches.data(primary) / "pg_wal",
        ):
            if folder.is_dir():
                found |= {entry.name: entry for entry in folder.iterdir() if _SEGMENT.fullmatch(entry.name)}
        return found

    def _needed(self, name: str) -> str | None:
        """Give the oldest segment that a restart of the standby reads."""
        found = _NEEDED.search(self._control(name))
        return found[1] if found else None

    def _control(self, name: str) -> str:
        """Give what the directory's control file says, in words."""
        data = self._plane.branches.data(name)
        programs = programs_of(self._plane.branches.major(name))
        said = subprocess.run(
            [programs.program("pg_controldata"), programs.within(data)],
            cwd=data,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            **programs.spawn,
        )
        return str(said.stdout)

    def _make(self, name: str, primary: str, compute: Compute | None) -> None:
        branches, cloner = self._plane.branches, self._plane.history.cloner
        branches.check(primary)
        with branches.making(name) as data:
            if compute is not None:
                backup.clone_running(cloner, compute, data, branches.owner)
            else:
                backup.clone_stopped(cloner, branches.data(primary), data, branches.owner)
            for file, content in (("standby.signal", ""), (FOLLOWS, primary)):
                (data / file).write_text(content)
                (data / file).chmod(0o600)
                branches.give(data / file)

    def _take_log(self, name: str, primary: str) -> None:
        """Take the segments from where the standby will begin to where the primary is.

        A segment that is being written may be torn: the log then ends there, and streaming goes on.
        """
        branches, first = self._plane.branches, self._needed(name) or ""
        target = branches.data(name) / "pg_wal"
        for segment, source in sorted(self._log(primary).items()):
            if segment >= first:
                (target / segment).unlink(missing_ok=True)
                clone_file(self._plane.history.cloner, source, target / segment, branches.owner)
