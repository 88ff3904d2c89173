"""Look at a database's catalog and counters: rows of facts, by the name of their query."""

from __future__ import annotations

from contextlib import suppress

from psycopg import sql

from neondba.postgres.connect import Connection, Refused, Row, ask, trusted
from neondba.postgres.queries import names

PREFIX = "look_"
WHOLE = ("smallint", "integer", "bigint")


def look(session: Connection) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """Ask every stored query of this kind; give the rows, and why a query was refused.

    Only reads. The session's search path and its right to write are taken away and given back.
    """
    before = session.execute("select current_setting('search_path') as path").fetchone()
    # With an empty path, Postgres qualifies every name it prints.
    session.execute("select set_config('search_path', '', false)")
    session.execute("select set_config('default_transaction_read_only', 'on', false)")
    rows: dict[str, list[Row]] = {}
    refused: dict[str, str] = {}
    try:
        for name in names():
            if name.startswith(PREFIX):
                kind = name.removeprefix(PREFIX)
                try:
                    rows[kind] = ask(session, name)
                except Refused as error:
                    refused[kind] = str(error).partition("\n")[0]
        _highest(session, rows.get("sequences", []))
    finally:
        if not session.closed:
            path = before["path"] if before else ""
            session.execute("select set_config('default_transaction_read_only', 'off', false)")
            session.execute("select set_config('search_path', %s, false)", [path])
    return rows, refused


def _highest(session: Connection, sequences: list[Row]) -> None:
    """Add what a fed column holds, where an index tells it at once."""
    for row in sequences:
        if row["looked_up"] and row["seen"] and row["column_type"] in WHOLE:
            table, column = sql.SQL(trusted(row["relation"])), sql.SQL(trusted(row["column"]))
            last = row["last_value"]
            coming = row["first"] if last is None else last + row["step"]
            with suppress(Refused):
                asked = sql.SQL(
                    "select (select max({column}) from {table}) as highest,"
                    " exists (select from {table} where {column} = {coming}) as is_taken"
                ).format(table=table, column=column, coming=sql.Literal(coming))
                row |= session.execute(asked).fetchone() or {}
