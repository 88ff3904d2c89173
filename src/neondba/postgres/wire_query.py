"""Run single statements with text values, and give what the server said about each column.

This is libpq itself, below psycopg's cursors: those turn values into Python's, and we pass them on.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

ROWS_AT_ONCE: Final = 16
"""So many are in memory before their size is looked at, and each may be a megabyte or a hundred."""
FIELDS: Final = {
    "message": "MESSAGE_PRIMARY",
    "code": "SQLSTATE",
    "detail": "MESSAGE_DETAIL",
    "hint": "MESSAGE_HINT",
    "position": "STATEMENT_POSITION",
    "internalPosition": "INTERNAL_POSITION",
    "internalQuery": "INTERNAL_QUERY",
    "severity": "SEVERITY",
    "where": "CONTEXT",
    "table": "TABLE_NAME",
    "column": "COLUMN_NAME",
    "schema": "SCHEMA_NAME",
    "dataType": "DATATYPE_NAME",
    "constraint": "CONSTRAINT_NAME",
    "file": "SOURCE_FILE",
    "line": "SOURCE_LINE",
    "routine": "SOURCE_FUNCTION",
}
"""Our names of an error's parts, and libpq's."""


class ServerError(Exception):
    """The server refused a statement; `parts` has everything it said."""

    def __init__(self, parts: Mapping[str, str | None]) -> None:
        super().__init__(parts.get("message") or "")
        self.parts = parts


class Disconnected(Exception):
    """The connection is gone, or was never made."""


class TooLarge(Exception):
    """An answer outgrew its limit."""


@dataclass(frozen=True)
class Column:
    """What the server says about a column of an answer."""

    name: str
    type_id: int
    table_id: int
    number: int
    size: int
    modifier: int


@dataclass
class Answer:
    """What a statement gave."""

    columns: list[Column] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    tag: str = ""
    """The command tag, such as `INSERT 0 1`; empty for an empty statement."""
    size: int = 0
    """Bytes of all values."""


class WireConnection:
    """A connection to a server at a Unix socket, for one thread at a time."""

    def __init__(self, folder: str, parameters: Mapping[str, str]) -> None:
        """Connect.

        Raises:
            Disconnected: nobody listens there.
            ServerError: the server does not let us in.
        """
        from psycopg import OperationalError, generators, waiting
        from psycopg.conninfo import make_conninfo

        self._guard = threading.RLock()
        self._running = False
        words: dict[str, Any] = {"host": folder, "port": 5432, "client_encoding": "UTF8", **parameters}
        try:
            self._conn: PGconn = waiting.wait_conn(generators.connect(make_conninfo("", **words)))
        except OperationalError as error:
            _, found, reason = str(error).partition("FATAL:  ")
            if found:
                reason = reason.strip()
                raise ServerError(
                    {"message": reason, "severity": "FATAL", "code": _login_code(reason)}
                ) from None
            raise Disconnected(str(error)) from None
        self._conn.nonblocking = 0

    def usable(self) -> bool:
        """Tell whether it is still connected and in no transaction."""
        from psycopg import pq

        try:
            self._conn.consume_input()
        except Exception:  # noqa: BLE001 - psycopg's errors need its import, and all mean the same
            return False
        idle = self._conn.transaction_status == pq.TransactionStatus.IDLE
        return bool(self._conn.status == pq.ConnStatus.OK and idle)

    def run(self, statement: str, values: Sequence[str | None], limit: int) -> Answer:
        """Run one statement by the extended protocol; values and answer are texts.

        Raises:
            ServerError: the server refused it.
            TooLarge: the answer has more bytes than the limit.
            Disconnected: the connection broke.
        """
        from psycopg import OperationalError, pq

        given = [None if value is None else _encoded(value) for value in values]
        try:
            with self._guard:
                self._conn.send_query_params(_encoded(statement), given)
                self._running = True
            self._conn.set_chunked_rows_mode(ROWS_AT_ONCE)
            return self._collect(limit)
        except OperationalError as error:
            if self._conn.status != pq.ConnStatus.OK:
                raise Disconnected(str(error)) from None
            raise ServerError({"message": str(error)}) from None
        finally:
            with self._guard:
                self._running = False

    def _collect(self, limit: int) -> Answer:
        answer, refused, large = Answer(), None, False
        while (result := self._next()) is not None:
            try:
                if refused is not None or large:
                    continue
                refused = _taken(result, answer)
                if answer.size > limit:
                    large = True
                    answer.rows.clear()
                    self.cancel()
            except _NotRows:
                self.close()
                raise ServerError({"message": "COPY is not supported here", "code": "0A000"}) from None
            finally:
                result.clear()
        if large:
            raise TooLarge
        if refused is not None:
            raise refused
        return answer

    def _next(self) -> PGresult | None:
        """Give the next part of the answer; wait for it here, as libpq's own wait stops all threads."""
        waiting = select.poll()
        waiting.register(self._conn.socket, select.POLLIN)
        while self._conn.is_busy():
            waiting.poll()
            self._conn.consume_input()
        return self._conn.get_result()

    def abandon(self) -> None:
        """Roll back what is open."""
        with suppress(ServerError, Disconnected):
            self.run("rollback", [], 1 << 16)

    def cancel(self) -> None:
        """Ask the server to end what runs here; may be called from another thread."""
        with self._guard, suppress(Exception):
            if self._running:
                self._conn.get_cancel().cancel()

    def close(self) -> None:
        """Close the connection."""
        self._conn.finish()


class _NotRows(Exception):
    """The statement wants to copy."""


def _taken(result: PGresult, answer: Answer) -> ServerError | None:
    """Add one part of an answer; give the error if it is one."""
    from psycopg.pq import ExecStatus

    match result.status:
        case ExecStatus.TUPLES_OK | ExecStatus.TUPLES_CHUNK | ExecStatus.COMMAND_OK:
            _add(result, answer)
        case ExecStatus.EMPTY_QUERY:
            pass
        case ExecStatus.COPY_IN | ExecStatus.COPY_OUT | ExecStatus.COPY_BOTH:
            raise _NotRows
        case _:
            return _refused(result)
    return None


def _add(result: PGresult, answer: Answer) -> None:
    width = result.nfields
    if not answer.columns:
        answer.columns = [_column(result, number) for number in range(width)]
    for row in range(result.ntuples):
        values = [result.get_value(row, number) for number in range(width)]
        answer.size += sum(len(value) for value in values if value is not None)
        answer.rows.append([None if value is None else value.decode() for value in values])
    # The last part of an answer in chunks may be empty, its tag too.
    answer.tag = (result.command_status or b"").decode() or answer.tag


def _lone(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"


def _encoded(text: str) -> bytes:
    """Write what libpq takes: it would end a text at its first NUL."""
    if "\0" in text or (not text.isascii() and any(map(_lone, text))):
        raise ServerError({"message": 'invalid byte sequence for encoding "UTF8"', "code": "22021"})
    return text.encode()


def _column(result: PGresult, number: int) -> Column:
    return Column(
        (result.fname(number) or b"").decode(),
        result.ftype(number),
        result.ftable(number),
        result.ftablecol(number),
        result.fsize(number),
        result.fmod(number),
    )


def _refused(result: PGresult) -> ServerError:
    from psycopg.pq import DiagnosticField

    parts: dict[str, str | None] = {}
    for name, theirs in FIELDS.items():
        value = result.error_field(DiagnosticField[theirs])
        parts[name] = None if value is None else value.decode(errors="replace")
    if parts["message"] is None:
        parts["message"] = result.get_error_message("utf-8").strip()
    return ServerError(parts)


def _login_code(reason: str) -> str | None:
    """Give the code of a refused login: libpq keeps only its sentence."""
    for words, code in (
        ("role ", "28000"),
        ("database ", "3D000"),
        ("remaining connection slots", "53300"),
        ("sorry, too many clients", "53300"),
        ("the database system is", "57P03"),
    ):
        if reason.startswith(words):
            return code
    return None
