"""Keep histories as long as their projects ask, and take the bases that bound how much is replayed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from neondba.core.problem import Problem
from neondba.local.computes.manager import Computes
from neondba.local.state.store import State
from neondba.local.state.tables import BranchRow, ProjectRow, TimelineRow
from neondba.local.storage import wal
from neondba.local.storage.archive import Archive
from neondba.local.storage.cloner import FileClone
from neondba.local.storage.history import History, Kept

ROUND: Final = 2.0
ROUNDS_A_SWEEP: Final = 15
LEAST: Final = 64 << 20
APART: Final = 256 << 20
"""Where files clone, bases are near each other for branches of the present, and thinned out later."""
RECENT: Final = timedelta(minutes=10)
SETTLED: Final = timedelta(hours=1)
"""A timeline that no branch has after so long is not going to be one's."""


def kept(state: State, timeline_id: str) -> Kept | None:
    """Give what decides about a timeline's history; None when it is no timeline's name."""
    with state.read() as rows:
        row = rows.get(TimelineRow, timeline_id)
        if row is None:
            return None
        project = rows.get(ProjectRow, row.project_id)
    return Kept(project.history_retention_seconds if project else 0, row.parent_id, row.fork_lsn)


def spacing(size: int, cloner: str) -> int:
    """Give after how many bytes of log a base is due.

    A copied base takes its whole size, so bases together stay within twice what the log takes.
    """
    return LEAST if cloner == FileClone.name else max(LEAST, size // 2)


class Keeper:
    """One round of upkeep after the other, in a thread of its own: a base may take long."""

    def __init__(
        self, state: State, computes: Computes, history: History, now: Callable[[], datetime]
    ) -> None:
        self._state = state
        self._computes = computes
        self._history = history
        self._now = now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name="history", daemon=True)

    def begin(self) -> None:
        """Remove what a crash left, then work from now on."""
        for timeline_id in self._timelines():
            self._history.archive(timeline_id).sweep()
        self._thread.start()

    def close(self) -> None:
        """Work no more; call it again after the computes have stopped to wait for the end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(ROUND * 5)

    def take_due(self) -> list[str]:
        """Take the bases that are due; give the timelines that got one."""
        taken = []
        for name in self._computes.awake():
            if self._stop.is_set():
                break
            if self._due(self._history.archive(name)) and self._history.take_base(name):
                taken.append(name)
        return taken

    def drop(self) -> None:
        """Drop what is older than the windows need."""
        now = self._now()
        for timeline_id, seconds in self._wanted(now).items():
            with self._history.reading(timeline_id, wait=False) as free:
                if free:
                    archive = self._history.archive(timeline_id)
                    archive.drop(now - timedelta(seconds=seconds), keep=seconds > 0)
                    if self._history.cloner.name == FileClone.name:
                        archive.thin(now - RECENT, APART)

    def _due(self, archive: Archive) -> bool:
        if not archive.kept:
            return False
        bases, segments = archive.usable(), archive.segments()
        if not bases:
            return True
        written = (segments[-1] - bases[-1].redo // wal.SEGMENT) * wal.SEGMENT
        return written >= spacing(bases[-1].size, self._history.cloner.name)

    def _timelines(self) -> list[str]:
        with self._state.read() as rows:
            return [row.id for row in rows.all(TimelineRow)]

    def _wanted(self, now: datetime) -> dict[str, int]:
        """Give how many seconds of each timeline's history are kept."""
        with self._state.read() as rows:
            seconds = {row.id: row.history_retention_seconds for row in rows.all(ProjectRow)}
            held = {row.timeline_id for row in rows.all(BranchRow)}
            found = {}
            for row in rows.all(TimelineRow):
                orphan = row.id not in held and datetime.fromisoformat(row.created_at) < now - SETTLED
                found[row.id] = 0 if orphan else seconds.get(row.project_id, 0)
        return found

    def _rounds(self) -> None:
        count = 0
        while not self._stop.wait(ROUND):
            count += 1
            try:
                self.take_due()
                if count % ROUNDS_A_SWEEP == 0:
                    self.drop()
            except (Problem, OSError) as error:
                logging.getLogger(__name__).warning("history is kept later: %s", error)
            except Exception:
                if not self._stop.is_set():
                    logging.getLogger(__name__).exception("a round of keeping history failed")
