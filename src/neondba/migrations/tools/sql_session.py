"""A session that runs the parts of one migration and notes what each statement did."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from neondba.core.secret import Secret
from neondba.migrations.tools.migrator import Look
from neondba.postgres.applied import Part
from neondba.postgres.connect import Connection, Refused, connect, rows_of
from neondba.project.alembic_runner.child import FLUSH, FLUSH_SINCE, PROBE
from neondba.project.alembic_runner.runner import Executed, Failure, StepResult

LOOK_EVERY: Final = 0.05


class SqlSession:
    """Runs SQL over a session of its own, in a thread, so that it can be watched and stopped."""

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._session: Connection | None = None

    def close(self) -> None:
        """End the session and what it runs."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def run(self, parts: Sequence[Part], limit: float, look: Look) -> StepResult:
        """Carry the parts out in order; stop at the first that is refused, or at the limit."""
        if self._session is None or self._session.closed:
            self._session = connect(self._url)
        work = _Work(self._session, parts)
        thread = threading.Thread(target=work.all, daemon=True)
        began = time.monotonic()
        thread.start()
        while thread.is_alive() and time.monotonic() - began < limit:
            thread.join(LOOK_EVERY)
            if thread.is_alive():
                look()
        return StepResult(
            seconds=work.ended - began if work.ended else time.monotonic() - began,
            statements=tuple(work.executed),
            failure=work.failure,
            stopped=thread.is_alive(),
            session=self._session.info.backend_pid if not self._session.closed else None,
            wal=work.wal,
        )


class _Work:
    """What the thread does, and how far it has come."""

    def __init__(self, session: Connection, parts: Sequence[Part]) -> None:
        self._session, self._parts = session, parts
        self.executed: list[Executed] = []
        self.failure: Failure | None = None
        self.wal: int | None = None
        self.ended = 0.0

    def all(self) -> None:
        try:
            self.wal = int(rows_of(self._session, PROBE)[0][0])
            for part in self._parts:
                self._part(part)
        except Refused as refused:
            said = refused.diag.message_primary or str(refused).strip() or type(refused).__name__
            detail = f"\n{refused.diag.message_detail}" if refused.diag.message_detail else ""
            self.failure = Failure(
                kind=type(refused).__name__, said=f"{said}{detail}", sqlstate=refused.sqlstate
            )
        self.ended = time.monotonic()

    def _part(self, part: Part) -> None:
        if part.alone:
            self._statement(part.statements[0])
            return
        with self._session.transaction():
            for text in part.statements:
                self._statement(text)

    def _statement(self, text: str) -> None:
        self.executed.append(Executed(text=text))
        began = time.monotonic()
        rows_of(self._session, text)
        seconds = time.monotonic() - began
        self.executed[-1] = self.executed[-1].after(seconds, rows_of(self._session, PROBE))
        if self._session.info.server_version >= FLUSH_SINCE:
            rows_of(self._session, FLUSH)
