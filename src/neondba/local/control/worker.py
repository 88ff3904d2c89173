"""Carry out operations: in order within a project, several projects at a time."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from neondba.core.problem import Problem, RemoteProblem
from neondba.local.state.store import Rows, State
from neondba.local.state.tables import OperationRow

PROJECTS_AT_ONCE: Final = 4
PAUSES: Final = (0.25, 1.0, 4.0)
"""Seconds before an operation is tried again whose compute died under it: one that dies takes a while."""
PAUSES_OF_PROBLEMS: Final = PAUSES[:1]
"""A compute that does not start, or a program that fails, may have been killed: once more tells."""


def stamp(moment: datetime) -> str:
    """Give a moment as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Worker:
    """The thread pool that turns intents into facts."""

    def __init__(
        self,
        state: State,
        perform: Callable[[OperationRow], None],
        undo: Callable[[Rows, OperationRow], None],
        now: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._perform = perform
        self._undo = undo
        self._now = now
        self._pool = ThreadPoolExecutor(PROJECTS_AT_ONCE, thread_name_prefix="operations")
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._stopping = threading.Event()

    def kick(self, project_id: str) -> None:
        """See to a project's operations soon."""
        with self._changed:
            if self._closing:
                return
            if project_id in self._busy:
                self._again.add(project_id)
                return
            self._busy.add(project_id)
        self._pool.submit(self._see_to, project_id)

    def _see_to(self, project_id: str) -> None:
        """Do the project's operations; a later kick takes up what fails here."""
        try:
            self._drain(project_id)
        except Exception:
            logging.getLogger(__name__).exception("the operations of %s stopped", project_id)
            with self._changed:
                self._busy.discard(project_id)
                self._changed.notify_all()

    def wait(self, limit: float, **equals: object) -> bool:
        """Wait until none of these operations is unfinished; tell whether that came true."""
        deadline = time.monotonic() + limit
        with self._changed:
            while True:
                with self._state.read() as rows:
                    if not rows.unfinished(**equals):
                        return True
                left = deadline - time.monotonic()
                if left <= 0 or self._closing:
                    return False
                self._changed.wait(left)

    def close(self) -> None:
        """Let current operations end; the rest waits for the next start."""
        self._stopping.set()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._pool.shutdown(wait=True)

    def _drain(self, project_id: str) -> None:
        while True:
            with self._state.read() as rows:
                waiting = rows.unfinished(project_id=project_id)
            if waiting and not self._closing:
                self._run(waiting[0])
                continue
            with self._changed:
                if project_id in self._again and not self._closing:
                    self._again.discard(project_id)
                    continue
                self._busy.discard(project_id)
                return

    def _run(self, operation: OperationRow) -> None:
        begun = time.monotonic()
        self._note(operation, status="running")
        try:
            self._persist(operation)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the operation's answer
            if self._closing and _pauses(error):
                return  # The next start tries it again.
            with self._state.change() as rows:
                self._undo(rows, operation)
                for other in rows.unfinished(project_id=operation.project_id):
                    if other.branch_id == operation.branch_id and other.id != operation.id:
                        other.status = "cancelled"
            count = operation.failures_count + 1
            self._finish(operation, begun, status="failed", error=sentence(error), failures_count=count)
        else:
            self._finish(operation, begun, status="finished")

    def _persist(self, operation: OperationRow) -> None:
        """Perform an operation, again if its compute died under it: every action may be repeated."""
        while True:
            try:
                return self._perform(operation)
            except Exception as error:
                pauses = _pauses(error)
                if operation.failures_count >= len(pauses) or self._stopping.wait(
                    pauses[operation.failures_count]
                ):
                    raise
            operation.failures_count += 1
            self._note(operation, failures_count=operation.failures_count)

    def _finish(self, operation: OperationRow, begun: float, **values: Any) -> None:
        self._note(operation, total_duration_ms=int((time.monotonic() - begun) * 1000), **values)
        with self._changed:
            self._changed.notify_all()

    def _note(self, operation: OperationRow, **values: Any) -> None:
        with self._state.change() as rows:
            row = rows.get(OperationRow, operation.number)
            if row is None:
                return
            for name, value in {**values, "updated_at": stamp(self._now())}.items():
                setattr(row, name, value)


def _pauses(error: Exception) -> tuple[float, ...]:
    from neondba.postgres.admin import lost

    if lost(error):
        return PAUSES
    return PAUSES_OF_PROBLEMS if isinstance(error, RemoteProblem) else ()


def sentence(error: Exception) -> str:
    """Say what went wrong in a way that helps."""
    if isinstance(error, Problem):
        return error.message
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"No space left on the disk ({error.filename or 'state folder'}); nothing half-made was kept. "
            "Free some space and try again."
        )
    return f"{type(error).__name__}: {error}"
