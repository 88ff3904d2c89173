"""Apply statements to a database that people use, so that the way in and out is always clear.

Each transaction is tried with a short lock_timeout and tried again after a pause, because whoever comes
behind a waiting ALTER TABLE waits too. A stop cancels the running statement and rolls back. A lost
connection leaves no doubt either: the server is asked what became of the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import errors

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, Problem
from neondba.core.secret import Secret
from neondba.postgres.applied import (
    Applied,
    Part,
    PartRun,
    Patience,
    StatementRun,
    Wait,
    brief,
    without_passwords,
)
from neondba.postgres.apply_trouble import Standing, ended_by, said_by
from neondba.postgres.beside import Beside, beside
from neondba.postgres.connect import Connection, connect, limited, trusted

if TYPE_CHECKING:
    from psycopg import Cursor

Check = Callable[[Connection, Part], None]

RETRIED: Final = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
KEY: Final = 7_311_905_514_227_001
"""Of the advisory lock that lets one apply at a time into a database."""
USUAL: Final = Patience()


def apply(
    ctx: Context,
    url: Secret,
    parts: Sequence[Part],
    *,
    patience: Patience = USUAL,
    first: Callable[[Connection], None] | None = None,
    check: Check | None = None,
) -> Applied:
    """Apply the parts in order, over a direct connection.

    Args:
        ctx: Tells progress, time and whether the user has cancelled.
        url: The database; a direct address, since a pooler does not keep a session.
        parts: What to apply; a part that ends badly ends the whole.
        patience: How long to wait for locks.
        first: Called on the session before anything is changed; what it raises stops the whole.
        check: Called inside the transaction of each part that has one, before the commit, or after a
            statement that stands alone; what it raises rolls the part back and stops the whole.

    Raises:
        ConflictProblem: another apply runs there; a lock was not had; a statement was refused; the user
            stopped. The message says what stands and what does not.
    """
    began = ctx.clock.monotonic()
    with beside(url) as watcher:
        work = Applying(ctx, url, patience, watcher, tuple(parts))
        try:
            work.open()
            if first is not None:
                first(work.session)
            for part in work.parts:
                work.one(part, check)
        finally:
            work.close()
    return Applied(parts=tuple(work.done), seconds=ctx.clock.monotonic() - began, cleaned=tuple(work.cleaned))


class Applying:
    """One run over the parts, and what stands of it so far."""

    def __init__(
        self, ctx: Context, url: Secret, patience: Patience, watcher: Beside, parts: tuple[Part, ...]
    ) -> None:
        self.parts = parts
        self.done: list[PartRun] = []
        self.cleaned: list[str] = []
        self.session: Connection
        self._ctx, self._url, self._patience, self._watcher = ctx, url, patience, watcher
        self._before = {index.oid for index in watcher.invalid_indexes()}
        self._runs: list[StatementRun] = []
        self._doing = ""
        self._transaction: str | None = None
        self._through = False
        self._refused = False
        self._pid = 0

    def open(self) -> None:
        """Open the session that does the work, alone of its kind in this database.

        Raises:
            ConflictProblem: another one is at work there.
        """
        self.session = connect(self._url)
        self._pid = self.session.info.backend_pid
        # A client that was killed must not leave its statement running, with its locks, until it ends.
        for setting in ("client_connection_check_interval = '1s'", "idle_in_transaction_session_timeout = 0"):
            with suppress(psycopg.Error):
                self.session.execute(trusted(f"set {setting}"))
        # neondba: ignore[NDB214] a direct session, held open until all is applied, and closed after it
        got = self.session.execute("select pg_try_advisory_lock(%s) as got", [KEY]).fetchone()
        if not (got and got["got"]):
            raise ConflictProblem(
                "apply-running",
                "Another apply or merge is at work in this database.",
                hint="Wait until it has ended, then begin again.",
            )

    def close(self) -> None:
        """End the session, and with it whatever it held."""
        if hasattr(self, "session"):
            self.session.close()

    def one(self, part: Part, check: Check | None) -> None:
        """Try a part until it is through, the patience is used up, or something else is wrong."""
        began = self._ctx.clock.monotonic()
        waits: list[Wait] = []
        pause = self._patience.first_pause
        while True:
            tried = self._ctx.clock.monotonic()
            try:
                self._watched(part, lambda: self._try(part, check))
            except RETRIED as refused:
                now = self._ctx.clock.monotonic()
                waits.append(self._waited(refused, now - tried))
                if not self._clean() or now - began >= self._patience.limit:
                    raise self._ended(part, refused, waits) from None
            except psycopg.Error as refused:
                if not self._committed():
                    raise self._ended(part, refused, waits) from None
                break
            except (Problem, KeyboardInterrupt, SystemExit) as stop:
                raise self._ended(part, stop, waits) from None
            else:
                break
            pause = self._pause(part, pause, waits)
        seconds = self._ctx.clock.monotonic() - began
        self.done.append(
            PartRun(
                name=part.name,
                alone=part.alone,
                statements=tuple(self._runs),
                waits=tuple(waits),
                seconds=seconds,
            )
        )

    def _try(self, part: Part, check: Check | None) -> None:
        self._runs, self._transaction, self._through = [], None, False
        self._refused = False
        patience = self._patience.lock_timeout_alone if part.alone else self._patience.lock_timeout
        limited(self.session, "lock_timeout", patience)
        if part.alone:
            try:
                self._execute(part.statements[0])
            except psycopg.Error as refused:
                self._refused = refused.sqlstate is not None
                raise
            if check is not None:
                check(self.session, part)
            self._through = True
            return
        with self.session.transaction():
            row = self.session.execute("select pg_current_xact_id()::text as id").fetchone()
            self._transaction = str(row["id"]) if row else None
            for text in part.statements:
                self._execute(text)
            if check is not None:
                check(self.session, part)
        self._through = True

    def _execute(self, text: str) -> None:
        self._doing = text
        began = self._ctx.clock.monotonic()
        cursor: Cursor[dict[str, object]] = self.session.execute(trusted(text))
        changed = cursor.statusmessage and cursor.statusmessage.split()[0] in ("INSERT", "UPDATE", "DELETE")
        self._runs.append(
            StatementRun(
                text=without_passwords(text),
                seconds=self._ctx.clock.monotonic() - began,
                rows=cursor.rowcount if changed else None,
            )
        )

    def _watched(self, part: Part, work: Callable[[], None]) -> None:
        """Run in a thread, so that a stop is heard while the server is at work."""
        place = self.parts.index(part)

        def look() -> None:
            share = (place + len(self._runs) / (len(part.statements) or 1)) / len(self.parts)
            waiting = self._watcher.whom_it_waits_for(self.session.info.backend_pid)
            self._ctx.progress(f"{part.name}: {brief(self._doing)}{waiting or ''}", share)

        self._watcher.run(work, look, self.session)

    def _waited(self, refused: psycopg.Error, seconds: float) -> Wait:
        return Wait(
            seconds=seconds,
            statement=brief(self._doing),
            said=said_by(refused),
            held_by=self._watcher.last_blocker,
        )

    def _pause(self, part: Part, pause: float, waits: list[Wait]) -> float:
        held = f" {waits[-1].held_by} is in the way." if waits[-1].held_by else ""
        try:
            self._ctx.progress(
                f"{part.name}: no lock after {waits[-1].seconds:.1f} s, rolled back.{held} "
                f"Try {len(waits) + 1} follows in {pause:.1f} s."
            )
            self._ctx.clock.sleep(pause * self._ctx.chance.uniform(0.75, 1.25))
        except (KeyboardInterrupt, SystemExit) as stop:
            raise self._ended(part, stop, waits) from None
        return min(pause * 2, self._patience.longest_pause)

    def _committed(self) -> bool:
        """Ask the server what became of a transaction whose connection broke; reconnect if all is well."""
        if not self.session.closed or self._transaction is None:
            return False
        with suppress(Problem, psycopg.Error):
            if self._watcher.outcome_of(self._transaction) == "committed":
                self.open()
                return True
        return False

    def _clean(self) -> bool:
        """Drop the invalid indexes that tries of this run have left; false if one stays."""
        if self._doing.lstrip()[:4].lower() == "drop":
            # What it has begun is still wanted: the next try, or the next run, ends it.
            return True
        left = [index for index in self._watcher.invalid_indexes() if index.oid not in self._before]
        for index in left:
            if self._watcher.dropped(index, self._patience.lock_timeout_alone):
                self.cleaned.append(index.name)
        return all(index.name in self.cleaned for index in left)

    def _ended(self, part: Part, why: BaseException, waits: list[Wait]) -> Problem:
        """Make sure that nothing of it goes on; say why it ended, and what stands."""
        pid = self.session.info.backend_pid if not self.session.closed else self._pid
        stands: bool | None = True if self._through else False if self._refused else None
        invalid: list[str] = []
        with suppress(psycopg.Error):
            self.session.close()
        with suppress(Problem, psycopg.Error):
            self._watcher.end(pid)
            if not self._through and self._transaction is not None:
                stands = self._watcher.outcome_of(self._transaction) == "committed"
            self._clean()
            invalid = [index.name for index in self._watcher.invalid_indexes()]
        return ended_by(
            why,
            Standing(
                parts=self.parts,
                done=tuple(self.done),
                part=part,
                statement=self._doing,
                stands=stands,
                invalid=tuple(invalid),
                waits=tuple(waits),
            ),
        )
