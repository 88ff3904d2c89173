"""Run one reading statement: a role that only reads, a transaction that only reads, limits on the rest."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from neondba.core.problem import (
    ArgumentProblem,
    ConflictProblem,
    NotFoundProblem,
    Problem,
    RemoteProblem,
)
from neondba.postgres.connect import Connection, ask, trusted
from neondba.postgres.reading import Read, Table, calls_refused
from neondba.postgres.role_membership import membership

READER: Final = "pg_read_all_data"
AS_THEY_ARE: Final = frozenset({"bool", "int2", "int4", "int8", "oid", "float4", "float8", "json", "jsonb"})
"""Types that Python and JSON have too. A value of any other stays PostgreSQL's own text: Python would refuse
an infinite date, and count an interval's months as days."""
BROKEN_OFF: Final = ("08", "53", "57", "58")
"""Classes of errors that are no fault of the statement."""
HINTS: Final = {
    "25006": "Changes go through a migration: neondba migration rehearse",
    "42501": "Act as a role that may do it: --role NAME",
    "42P01": 'Tables that there are: neondba query run "select schemaname, relname from pg_stat_user_tables"',
}
LOOK_EVERY: Final = 0.2
"""Seconds between two looks whether the user has cancelled."""


class Estimate(NamedTuple):
    """What the planner expects of a statement."""

    cost: float
    """In the planner's unit: one page read in sequence is 1."""
    rows: int
    plan: dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What a statement may take."""

    rows: int = 100
    seconds: float = 10.0
    cost: float = 1_000_000.0
    bytes: int = 1_000_000
    """Of all values as they are sent."""


@dataclass
class Rows:
    """What came back."""

    columns: list[tuple[str, str]] = field(default_factory=list)
    """Name and type."""
    rows: list[list[Any]] = field(default_factory=list)
    more: str | None = None
    """Why there are more rows than these."""


@contextmanager
def only_reading(session: Connection, role: str, limits: Limits) -> Iterator[None]:
    """Hold a transaction that writes nothing, as a role that may only read; nothing of it stays.

    Raises:
        NotFoundProblem: the branch has no such role, or the login may not act as it.
    """
    session.execute("begin read only")
    try:
        for name, seconds in (
            ("statement_timeout", limits.seconds),
            ("lock_timeout", min(limits.seconds, 2.0)),
            ("idle_in_transaction_session_timeout", limits.seconds + 30),
            ("transaction_timeout", limits.seconds * 2 + 30),
        ):
            _limited(session, name, seconds)
        _become(session, role)
        yield
    finally:
        if not session.closed:
            with suppress(psycopg.Error):
                session.execute("rollback")


def _limited(session: Connection, name: str, seconds: float) -> None:
    # The newest of these settings is younger than the oldest server: unknown ones are passed over.
    statement = "select set_config(name, %s, true) from pg_settings where name = %s"
    session.execute(statement, [f"{max(1, int(seconds * 1000))}ms", name])


def _become(session: Connection, role: str) -> None:
    try:
        session.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    except psycopg.Error as error:
        said = str(error).strip().splitlines()[0]
        hint = "Name a role that exists on the branch and that its owner may act as: --role NAME."
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            grant = membership(session, role, inherits=False, to=session.info.user)
            hint = f"Let {session.info.user} act as it, once, as the role that made it: {grant}"
        raise NotFoundProblem(
            "role-not-usable", f"The query cannot run as {role}: {said}.", hint=hint
        ) from None


def check_functions(session: Connection, found: Read) -> None:
    """Refuse a statement whose functions may do more than read.

    Raises:
        ArgumentProblem: one does.
    """
    if why := calls_refused(session, found.calls):
        raise refused("; ".join(why))


def refused(why: str) -> ArgumentProblem:
    """Say that a statement is not let through."""
    return ArgumentProblem(
        "query-not-read-only",
        f"The query was not run: {why}.",
        hint="Give one SELECT, VALUES, TABLE, SHOW or EXPLAIN. Changes go through a migration: "
        "neondba migration rehearse.",
    )


def estimated(session: Connection, statement: str, limits: Limits) -> Estimate:
    """Ask the planner what a statement would cost.

    Raises:
        ConflictProblem: more than the limit.
        ArgumentProblem: the server does not understand it.
    """
    rows = _asked(session, f"explain (format json) {statement}", limits)
    plan = rows.rows[0][0][0]["Plan"]
    found = Estimate(float(plan["Total Cost"]), int(plan["Plan Rows"]), plan)
    if found.cost > limits.cost:
        raise ConflictProblem(
            "query-too-expensive",
            f"The planner expects a cost of {found.cost:,.0f} and {found.rows:,} rows; the limit is a cost "
            f"of {limits.cost:,.0f}.",
            hint="Narrow it with WHERE or LIMIT, or raise the limit with --cost.",
            cost=found.cost,
            rows=found.rows,
        )
    return found


def fetched(session: Connection, statement: str, limits: Limits, cancelled: Callable[[], bool]) -> Rows:
    """Run a statement and read its first rows.

    Raises:
        KeyboardInterrupt: the user has cancelled; the server was told.
        RemoteProblem: it took longer than its limit.
    """
    over = threading.Event()
    stopped: list[bool] = []

    def watch() -> None:
        while not over.wait(LOOK_EVERY):
            if cancelled():
                stopped.append(True)
                with suppress(psycopg.Error):
                    session.cancel_safe(timeout=5)
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        return _asked(session, statement, limits)
    except RemoteProblem:
        if stopped:
            raise KeyboardInterrupt from None
        raise
    finally:
        over.set()
        watcher.join()


def _asked(session: Connection, statement: str, limits: Limits) -> Rows:
    found = Rows()
    taken = 0
    try:
        # A stream goes over the extended protocol: there the server itself takes one statement only.
        with psycopg.RawCursor(session, row_factory=tuple_row) as cursor:
            _keep_text(cursor)
            stream = cursor.stream(trusted(statement))
            for row in stream:
                if not found.columns:
                    found.columns = _columns(cursor)
                if len(found.rows) == limits.rows or taken > limits.bytes:
                    found.more = (
                        f"only the first {limits.rows} rows were read"
                        if len(found.rows) == limits.rows
                        else f"reading stopped after {taken:,} characters"
                    )
                    session.cancel_safe(timeout=5)
                    break
                taken += sum(len(str(value)) for value in row)
                found.rows.append(list(row))
            stream.close()  # type: ignore[attr-defined]
        found.columns = found.columns or _described(session, statement)
    except psycopg.errors.QueryCanceled as error:
        if found.more is None:
            raise _timed_out(error, limits) from None
    except psycopg.Error as error:
        raise _failed(error, broken=session.broken) from None
    return found


def _keep_text(cursor: psycopg.Cursor[Any]) -> None:
    from psycopg.types.json import set_json_loads
    from psycopg.types.string import TextLoader

    for kind in cursor.adapters.types:
        if kind.name not in AS_THEY_ARE:
            cursor.adapters.register_loader(kind.oid, TextLoader)
    set_json_loads(_json, cursor)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # PostgreSQL nests deeper and counts higher than Python.
        return text if isinstance(text, str) else text.decode(errors="replace")


def _failed(error: psycopg.Error, *, broken: bool) -> Problem:
    state = error.sqlstate or ""
    if broken or state.startswith(BROKEN_OFF):
        return RemoteProblem("query-broken-off", f"The query ended: {_first(error)}.", hint="Try again.")
    return ArgumentProblem(
        "query-refused",
        f"PostgreSQL refused the query: {_first(error)}.",
        hint=error.diag.message_hint or HINTS.get(state, "Correct the statement."),
    )


def _timed_out(error: psycopg.Error, limits: Limits) -> RemoteProblem:
    return RemoteProblem(
        "query-timed-out",
        f"The query was stopped: {_first(error)}; its limit is {limits.seconds:g} s.",
        hint="Narrow it, look at its plan with --plan, or raise the limit with --seconds.",
    )


def _columns(cursor: psycopg.Cursor[Any]) -> list[tuple[str, str]]:
    return [(each.name, each.type_display) for each in cursor.description or ()]


def _described(session: Connection, statement: str) -> list[tuple[str, str]]:
    """Ask for the columns of an answer without rows: the stream does not keep them."""
    session.pgconn.prepare(b"", statement.encode())
    answer = session.pgconn.describe_prepared(b"")
    types = session.adapters.types
    return [
        ((answer.fname(at) or b"").decode(), kind.name if (kind := types.get(answer.ftype(at))) else "?")
        for at in range(answer.nfields)
    ]


def _first(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or ["no reason was given"])[0].rstrip(".")


def filtered(session: Connection, tables: frozenset[Table]) -> list[str]:
    """Name the tables whose policies decide which rows the acting role sees."""
    named = sorted((table.schema or "", table.name) for table in tables)
    schemas, names = [one[0] for one in named], [one[1] for one in named]
    return [str(row["name"]) for row in ask(session, "row_security_applies", schemas, names)]
