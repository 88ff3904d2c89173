"""The application's own statements, from pg_stat_statements, with values from rows that are there."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import psycopg
from psycopg import sql

from neondba.postgres.connect import Connection, ask, trusted
from neondba.postgres.ddl.names import last, plain
from neondba.postgres.load import SAMPLE, Deed, Send
from neondba.postgres.row_statement import read_rows
from neondba.postgres.shapes import Shape

PARAMETER: Final = re.compile(r"\$(\d+)")
LIMIT: Final = re.compile(r"\blimit\s+\$(\d+)", re.IGNORECASE)
OFFSET: Final = re.compile(r"\boffset\s+\$(\d+)", re.IGNORECASE)


def statements_of(session: Connection) -> list[tuple[str, int]]:
    """Give what the application sends most, with how often; nothing where nobody counted."""
    there = session.execute("select to_regclass('pg_stat_statements') as oid").fetchone()
    if not there or there["oid"] is None:
        return []
    try:
        return [(str(row["query"]), int(row["calls"])) for row in ask(session, "app_statements")]
    except psycopg.Error:
        return []


def deeds_of(
    session: Connection, statements: Sequence[tuple[str, int]], tables: Mapping[str, Shape]
) -> Iterator[Deed]:
    """Give those statements on the tables whose every parameter can be given a value."""
    by_name = {plain(last(name)).lower(): shape for name, shape in tables.items()}
    for text, calls in statements:
        read = read_rows(text)
        shape = by_name.get(read.tables[0]) if read is not None else None
        if read is None or shape is None:
            continue
        columns = {
            number: held.column for held in (*read.conditions, *read.assigned) for number in held.parameters
        }
        fixed = {int(n): "20" for n in LIMIT.findall(text)} | {int(n): "0" for n in OFFSET.findall(text)}
        wanted = sorted({int(number) for number in PARAMETER.findall(text)})
        if all(n in fixed or shape.column(columns.get(n, "")) for n in wanted):
            send = _sending(session, text, shape, [fixed.get(n) or (columns[n],) for n in wanted])
            if send is not None:
                yield Deed(text, shape.name, send, max(1, calls))


def _sending(session: Connection, text: str, shape: Shape, values: list[str | tuple[str]]) -> Send | None:
    columns = [value[0] for value in values if isinstance(value, tuple)]
    listed = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns or ["ctid"])
    chosen = sql.SQL("select {} from {} limit {}").format(listed, sql.SQL(trusted(shape.name)), SAMPLE)
    with session.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        rows = cursor.execute(chosen).fetchall()
    if not rows:
        return None

    def send(inside: Connection, chance: random.Random) -> None:
        row = iter(chance.choice(rows))
        given = [next(row) if isinstance(value, tuple) else value for value in values]
        with psycopg.RawCursor(inside) as cursor:
            cursor.execute(trusted(text), given or None)

    return send
