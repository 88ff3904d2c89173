"""A second session beside the one that works: it sees who is in the way, and what is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

import psycopg

from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.postgres.applied import brief
from neondba.postgres.connect import Connection, ask, connect, limited, trusted

LOOK_EVERY: Final = 0.25
"""Seconds between two looks while the other session is at work."""
CLEANING: Final = 5.0
"""Most seconds that the removal of an invalid index waits for its lock."""
ENDING: Final = 5_000
"""Milliseconds to wait for a server process to end."""


class InvalidIndex(NamedTuple):
    """An index that a CONCURRENTLY began and did not finish."""

    oid: int
    name: str
    """As Postgres quotes it, with its schema."""


class Beside:
    """Looks at one database from a session of its own."""

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._session = connect(url)
        self.last_blocker: str | None = None
        """The session that was last seen in the way."""

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def renew(self) -> None:
        """Open the session again if it broke.

        Raises:
            Problem: the server is not there.
        """
        if self._session.closed:
            self._session = connect(self._url)

    def run(self, work: Callable[[], None], look: Callable[[], None], session: Connection) -> None:
        """Do the work in a thread and look now and then; what a look raises cancels the statement."""
        failed: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised again below, in the caller's thread
                failed.append(error)

        self.last_blocker = None
        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        try:
            while True:
                thread.join(LOOK_EVERY)
                if not thread.is_alive():
                    break
                look()
        except BaseException:
            self._halt(session, thread)
            raise
        if failed:
            raise failed[0]

    def _halt(self, session: Connection, thread: threading.Thread) -> None:
        with suppress(psycopg.Error):
            session.cancel_safe(timeout=5)
        thread.join(5)
        if thread.is_alive():
            self.end(session.info.backend_pid)
            thread.join(5)

    def whom_it_waits_for(self, pid: int) -> str | None:
        """Say which session another one waits for, in the words of a progress line."""
        try:
            self.renew()
            rows = {int(row["pid"]): row for row in ask(self._session, "sessions")}
        except (Problem, psycopg.Error):
            return None
        own = rows.get(pid)
        blockers = [rows[one] for one in (own["blocked_by"] if own else ()) if one in rows]
        if not blockers:
            return None
        first = blockers[0]
        name = f" ({first['application_name']})" if first["application_name"] else ""
        self.last_blocker = (
            f"Session {first['pid']} of role {first['role']}{name}, {first['state']}, "
            f"last statement: {brief(str(first['statement']), 60)},"
        )
        return f" · waits for session {first['pid']} of role {first['role']}{name}"

    def outcome_of(self, transaction: str) -> str | None:
        """Say what became of a transaction: `committed`, `aborted`, or nothing where nobody knows."""
        self.renew()
        row = self._session.execute("select pg_xact_status(%s::xid8) as status", [transaction]).fetchone()
        return str(row["status"]) if row and row["status"] else None

    def end(self, pid: int) -> None:
        """End another session of ours, so that nothing of it goes on."""
        with suppress(Problem, psycopg.Error):
            self.renew()
            self._session.execute("select pg_terminate_backend(%s, %s)", [pid, ENDING])

    def invalid_indexes(self) -> list[InvalidIndex]:
        """Give the indexes that are not valid and that nobody is building."""
        return [
            InvalidIndex(int(row["oid"]), str(row["name"])) for row in ask(self._session, "invalid_indexes")
        ]

    def dropped(self, index: InvalidIndex, patience: float) -> bool:
        """Drop an invalid index; false if it cannot be had within so many seconds."""
        try:
            limited(self._session, "lock_timeout", min(patience, CLEANING))
            # The name comes from Postgres, which has quoted it.
            self._session.execute(trusted(f"drop index concurrently if exists {index.name}"))
        except psycopg.Error:
            return False
        return True


@contextmanager
def beside(url: Secret) -> Iterator[Beside]:
    """Open the second session for as long as a block runs."""
    watcher = Beside(url)
    try:
        yield watcher
    finally:
        watcher.close()
