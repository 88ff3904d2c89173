"""Look at rows: samples for deciding, then every row of what is to stay."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from neondba.postgres.connect import Connection, Row, trusted
from neondba.postgres.masking.columns import Column
from neondba.postgres.masking.deciding import Samples, is_sure, settled_by, telling
from neondba.postgres.masking.decision import Decision, State
from neondba.postgres.masking.shapes import personal_keys

ROWS: Final = 1000
"""Rows of a table that are sampled."""
PAGES: Final = 150
LONGEST: Final = 20_000
"""Characters of a sampled value."""
PATTERNS: Final = {
    "e-mail addresses": ("@", r"[[:alnum:]._%+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)*\.[[:alpha:]]{2,}"),
    "telephone numbers": ("+", r"(^|[^[:alnum:]@])\+[0-9][0-9 ()./-]{6,}[0-9]"),
}
"""What a column that stays must not hold: a sign that is there at least, and the pattern."""
VALUES: Final = "values of masked columns"
SEARCHED: Final = 40
"""Sampled values of masked columns that are searched for in every row of what stays."""
SETTINGS: Final = (
    "set search_path = ''",
    "set row_security = off",
    "set statement_timeout = 0",
    "set idle_in_transaction_session_timeout = 0",
    "set datestyle = 'ISO, YMD'",
    "set intervalstyle = 'postgres'",
    "set timezone = 'UTC'",
    "set bytea_output = 'hex'",
    "set extra_float_digits = 1",
    "set xmloption = 'content'",
)
"""So that what one session writes, the other reads the same; and no policy hides rows."""


def settle(session: Connection, *, reading: float | None = None) -> None:
    """Set up a session for whole tables; or for reading alone, so many seconds for each statement."""
    only = ["set default_transaction_read_only = on", f"set statement_timeout = {int((reading or 0) * 1000)}"]
    for statement in [*SETTINGS, *(only if reading else [])]:
        session.execute(trusted(statement))


def samples_of(session: Connection, columns: Sequence[Column]) -> dict[str, list[str]]:
    """Give values of each column that may hold a text of somebody, from all over its table."""
    found: dict[str, list[str]] = {}
    tables: dict[int, list[Column]] = {}
    for column in columns:
        if not column.is_plain and column.base != "tsvector":
            tables.setdefault(column.table_oid, []).append(column)
    for beside in tables.values():
        rows = _rows(session, beside)
        for place, column in enumerate(beside):
            values = [value for row in rows if (value := row[place]) is not None]
            found[column.where] = values or _somewhere(session, column)
    return found


def _rows(session: Connection, columns: Sequence[Column]) -> list[tuple[str | None, ...]]:
    source = table_of(columns[0])
    picked = sql.SQL(", ").join(_text(column) for column in columns)
    few = sql.SQL("select {} from {} tablesample system ({}) limit {}").format(
        picked, source, sql.Literal(_share(session, columns[0])), sql.Literal(ROWS)
    )
    with session.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(few).fetchall()
        if not rows:
            rows = cursor.execute(
                sql.SQL("select {} from {} limit {}").format(picked, source, sql.Literal(ROWS))
            ).fetchall()
    return rows


def _somewhere(session: Connection, column: Column) -> list[str]:
    query = sql.SQL("select {} from {} where {} is not null limit 100").format(
        _text(column), table_of(column), sql.Identifier(column.column)
    )
    with session.cursor(row_factory=tuple_row) as cursor, suppress(psycopg.errors.QueryCanceled):
        return [str(row[0]) for row in cursor.execute(query).fetchall()]
    return []


def _text(column: Column) -> sql.Composable:
    name = sql.Identifier(column.column)
    if column.base == "bytea":
        return sql.SQL("case when octet_length({}) > 0 then 'binary' end").format(name)
    return sql.SQL("left({}::text, {})").format(name, sql.Literal(LONGEST))


def _share(session: Connection, column: Column) -> float:
    row = session.execute(
        "select coalesce(sum(pg_relation_size(relid)), 0)::bigint / 8192 as pages from ("
        "select relid from pg_partition_tree(%s::oid::regclass) union select %s::oid) t",
        [column.table_oid, column.table_oid],
    ).fetchone()
    pages = int(row["pages"]) if row else 0
    return 100.0 if pages <= PAGES else 100.0 * PAGES / pages


def table_of(column: Column) -> sql.Composable:
    """Name a column's table for a FROM; children that inherit are tables of their own."""
    name = sql.Identifier(*column.of)
    return name if column.partitioned else sql.SQL("only {}").format(name)


def looked_through(
    session: Connection, columns: Sequence[Column], decisions: Sequence[Decision], samples: Samples
) -> tuple[list[Decision], dict[str, str]]:
    """Read every row of what is to stay, and every key of documents.

    A column that a sample found clean is opened where some row of it is not. The second part is, for
    each document that is masked, its personal keys as JSON.
    """
    by_name = {column.where: column for column in columns}
    found = {each.column: each for each in decisions}
    documents: dict[str, str] = {}
    for column in columns:
        if column.is_document and found[column.where].state in (State.CLEAN, State.MASKED):
            found[column.where] = _keyed(session, column, found[column.where], documents)
    tables: dict[int, list[Column]] = {}
    for where, each in found.items():
        column = by_name[where]
        if each.state is State.CLEAN and not column.is_plain and column.base not in ("bytea", "tsvector"):
            tables.setdefault(column.table_oid, []).append(column)
    known = sorted(filter(is_sure, telling(found.values(), samples)))
    known = known[:: max(1, len(known) // SEARCHED)]
    for beside in tables.values():
        row = _counted(session, beside, known)
        for place, column in enumerate(beside):
            hits = {what: row[f"{place} {what}"] for what in (*PATTERNS, VALUES) if row[f"{place} {what}"]}
            if hits and not column.generated:
                found[column.where] = _opened(column, hits)
    return list(found.values()), documents


def _opened(column: Column, hits: dict[str, int]) -> Decision:
    if column.is_document:
        why = f"its texts: {', '.join(hits)}"
        return Decision(column=column.where, type=column.type, state=State.MASKED, kind="json", why=why)
    said = ", ".join(f"{what} in {count} of its rows" for what, count in hits.items())
    return Decision(
        column=column.where, type=column.type, state=State.OPEN, why=said, lines=settled_by(column)
    )


def _counted(session: Connection, columns: Sequence[Column], known: Sequence[str]) -> Row:
    wanted = [re.sub(r"([\\\\%_])", r"\\\1", value) for value in known]
    parts = [
        sql.SQL("count(*) filter (where lower({}::text) like any ({})) as {}").format(
            sql.Identifier(column.column),
            sql.Literal([f"%{value}%" for value in wanted]),
            sql.Identifier(f"{place} {VALUES}"),
        )
        for place, column in enumerate(columns)
    ]
    parts += [
        sql.SQL("count(*) filter (where position({} in {text}) > 0 and {text} ~ {}) as {}").format(
            sql.Literal(sign),
            sql.Literal(pattern),
            sql.Identifier(f"{place} {what}"),
            text=sql.SQL("{}::text").format(sql.Identifier(column.column)),
        )
        for place, column in enumerate(columns)
        for what, (sign, pattern) in PATTERNS.items()
    ]
    query = sql.SQL("select {} from {}").format(sql.SQL(", ").join(parts), table_of(columns[0]))
    return session.execute(query).fetchone() or {}


def _keyed(session: Connection, column: Column, decision: Decision, documents: dict[str, str]) -> Decision:
    query = sql.SQL(
        "select distinct key from {}, jsonb_path_query({}::jsonb, 'strict $.**') part,"
        " lateral jsonb_object_keys(case when jsonb_typeof(part) = 'object' then part else '{{}}' end) key"
    ).format(table_of(column), sql.Identifier(column.column))
    named = personal_keys(sorted(row["key"] for row in session.execute(query).fetchall()))
    documents[column.where] = json.dumps(named)
    if named and decision.state is State.CLEAN:
        why = f"its keys: {', '.join(list(named)[:8])}"
        return Decision(column=column.where, type=column.type, state=State.MASKED, kind="json", why=why)
    return decision
