"""What happens by itself: branches expire, idle computes sleep."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from neondba.local.computes.manager import Computes
from neondba.local.control import changes, upkeep
from neondba.local.control.directory import LocalDirectory
from neondba.local.control.names import endpoints_by_compute
from neondba.local.control.naps import suspended
from neondba.local.control.worker import Worker, stamp
from neondba.local.state.store import State
from neondba.local.state.tables import BranchRow, EndpointRow
from neondba.neon.limits import Size

DEFAULT_SUSPEND: Final = 300
LONGEST_LOG: Final = 8 << 20
"""Bytes of a compute's log; then it begins anew."""


class Sweeper:
    """One round of housekeeping, again and again."""

    def __init__(
        self,
        state: State,
        computes: Computes,
        directory: LocalDirectory,
        worker: Worker,
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._computes = computes
        self._directory = directory
        self._worker = worker
        self._now = now
        self.chores: list[Callable[[], None]] = []
        """What others have done in each round."""
        self._stop = threading.Event()
        self._tight = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name="sweeper", daemon=True)

    def begin(self) -> None:
        """Sweep every second from now on."""
        self._thread.start()

    def close(self) -> None:
        """Sweep no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def expire(self) -> list[str]:
        """Delete the branches whose time is over; give their ids."""
        now, expired = stamp(self._now()), []
        with self._state.change() as rows:
            for branch in rows.all(BranchRow, deleting=False):
                if branch.expires_at is None or branch.expires_at > now:
                    continue
                if changes.children(rows, branch) or rows.unfinished(project_id=branch.project_id):
                    continue
                changes.delete_branch(rows, branch, now, hard=True)
                expired.append((branch.id, branch.project_id))
        for _, project_id in expired:
            self._worker.kick(project_id)
        return [branch_id for branch_id, _ in expired]

    def keep(self) -> None:
        """See to snapshots, schedules, deleted things and branches that nobody uses."""
        awake = set(self._computes.awake())
        window = timedelta() if self._tight.is_set() else upkeep.RECOVERABLE
        self._tight.clear()
        with self._state.change() as rows:
            todo = upkeep.keep(rows, self._now(), awake, window)
        for project_id in todo:
            self._worker.kick(project_id)

    def make_room(self) -> bool:
        """Have deleted things removed with the next round; tell whether there are any."""
        with self._state.read() as rows:
            found = bool(upkeep.recoverable(rows))
        if found:
            self._tight.set()
        return found

    def resume(self) -> None:
        """Take up operations that stopped half-way, such as on a disk that was full."""
        with self._state.read() as rows:
            waiting = {row.project_id for row in rows.unfinished()}
        for project_id in waiting:
            self._worker.kick(project_id)

    def suspend(self) -> list[str]:
        """Let the computes sleep that nobody used for their time; give their names."""
        asleep: list[str] = []
        awake = self._computes.awake()
        if not awake:
            return asleep
        with self._state.read() as rows:
            endpoints = endpoints_by_compute(rows)
            busy = {row.branch_id for row in rows.unfinished()}
            held = {row.timeline_id for row in rows.all(BranchRow) if row.id in busy}
        for name in awake:
            endpoint = endpoints.get(name)
            if name not in held and self._idle(name, endpoint) and self._stopped(name, endpoint):
                asleep.append(name)
                if endpoint is not None:
                    self._note(endpoint)
        return asleep

    def _stopped(self, name: str, endpoint: EndpointRow | None) -> bool:
        """Stop a compute, unless a client came while we looked."""
        with self._computes.held(name):
            if endpoint is not None and self._directory.quiet_for(endpoint.id) < _limit(endpoint):
                return False
            self._computes.stop(name)
        return True

    def trim(self) -> None:
        """Begin a compute's log anew when it has grown long: every connection is a line."""
        for name in self._computes.awake():
            compute = self._computes.running(name)
            with suppress(FileNotFoundError):
                if compute is not None and compute.place.log.stat().st_size > LONGEST_LOG:
                    os.truncate(compute.place.log, 0)

    def _idle(self, name: str, endpoint: EndpointRow | None) -> bool:
        if endpoint is None:
            return True
        limit = _limit(endpoint)
        if limit < 0 or Size(endpoint.min_cu, endpoint.max_cu).never_sleeps:
            return False
        if self._directory.quiet_for(endpoint.id) < limit:
            return False
        compute = self._computes.running(name)
        if compute is None:
            return False
        # A session that did not come through the proxy is one of ours, unless it works.
        recent = limit if self._directory.connections(endpoint.id) else 0
        return compute.sessions_at_work(recent) == 0

    def _note(self, endpoint: EndpointRow) -> None:
        moment = self._now()
        quiet = timedelta(seconds=self._directory.quiet_for(endpoint.id))
        with self._state.change() as rows:
            suspended(rows, endpoint.id, stamp(moment), stamp(moment - quiet))

    def _rounds(self) -> None:
        import logging

        while not self._stop.wait(1.0):
            try:
                self.resume()
                self.expire()
                self.keep()
                self._computes.bury()
                self.suspend()
                self.trim()
                for chore in self.chores:
                    chore()
            except Exception:
                logging.getLogger(__name__).exception("a round of housekeeping failed")


def _limit(endpoint: EndpointRow) -> int:
    return endpoint.suspend_timeout_seconds or DEFAULT_SUSPEND
