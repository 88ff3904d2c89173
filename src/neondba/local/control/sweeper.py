"""What happens by itself: branches expire, idle computes sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from neondba.local.computes.manager import Computes
from neondba.local.control import changes
from neondba.local.control.directory import LocalDirectory
from neondba.local.control.names import endpoints_by_compute
from neondba.local.control.worker import Worker, stamp
from neondba.local.state.store import State
from neondba.local.state.tables import BranchRow, EndpointRow

DEFAULT_SUSPEND: Final = 300
ACTIVITY: Final = (
    "select count(*) from pg_stat_activity where backend_type in ('client backend', 'walsender')"
    " and pid <> pg_backend_pid()"
    " and (state <> 'idle' or state_change > now() - make_interval(secs => %s))"
)


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
        self._stop = threading.Event()
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
                children = rows.all(BranchRow, parent_id=branch.id, deleting=False)
                if children or rows.unfinished(project_id=branch.project_id):
                    continue
                changes.delete_branch(rows, branch, now)
                expired.append((branch.id, branch.project_id))
        for _, project_id in expired:
            self._worker.kick(project_id)
        return [branch_id for branch_id, _ in expired]

    def resume(self) -> None:
        """Take up operations that stopped half-way, such as on a disk that was full."""
        with self._state.read() as rows:
            waiting = {row.project_id for row in rows.unfinished()}
        for project_id in waiting:
            self._worker.kick(project_id)

    def suspend(self) -> list[str]:
        """Let the computes sleep that nobody used for their time; give their names."""
        asleep = []
        awake = self._computes.awake()
        with self._state.read() as rows:
            endpoints = endpoints_by_compute(rows)
            busy = {row.branch_id for row in rows.unfinished()}
            held = {row.timeline_id for row in rows.all(BranchRow) if row.id in busy}
        for name in awake:
            endpoint = endpoints.get(name)
            if name not in held and self._idle(name, endpoint):
                self._computes.stop(name)
                asleep.append(name)
                if endpoint is not None:
                    self._note(endpoint.id)
        return asleep

    def _idle(self, name: str, endpoint: EndpointRow | None) -> bool:
        if endpoint is None:
            return True
        limit = endpoint.suspend_timeout_seconds or DEFAULT_SUSPEND
        if limit < 0 or self._directory.quiet_for(endpoint.id) < limit:
            return False
        if not self._directory.connections(endpoint.id):
            return True
        compute = self._computes.running(name)
        if compute is None:
            return False
        with compute.admin() as connection:
            row = connection.execute(ACTIVITY, [limit]).fetchone()
        return row is not None and row[0] == 0

    def _note(self, endpoint_id: str) -> None:
        now = stamp(self._now())
        with self._state.change() as rows:
            for endpoint in rows.all(EndpointRow, id=endpoint_id):
                endpoint.suspended_at = endpoint.updated_at = now

    def _rounds(self) -> None:
        import logging

        while not self._stop.wait(1.0):
            try:
                self.resume()
                self.expire()
                self.suspend()
            except Exception:
                logging.getLogger(__name__).exception("a round of housekeeping failed")
