"""What rows hold, as a value that can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import psycopg
from psycopg import sql
from pydantic import BaseModel

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.seen import Loss
from neondba.postgres.shapes import Shape

LARGEST = 20_000
"""Rows of a table that are compared; larger tables are named as not compared."""


class Contents(BaseModel):
    """The rows of some tables: for each column, how often each value occurs."""

    rows: dict[str, int]
    values: dict[str, dict[str, dict[int, int]]]
    """Table, column, hash of the value, how many."""
    too_large: tuple[str, ...] = ()


def contents(session: Connection, tables: Iterable[Shape]) -> Contents:
    """Read the rows of the tables, unless they are too many."""
    rows: dict[str, int] = {}
    values: dict[str, dict[str, dict[int, int]]] = {}
    too_large = []
    for shape in tables:
        found = _hashes(session, shape)
        if found is None:
            too_large.append(shape.name)
            continue
        rows[shape.name] = len(found)
        columns = zip(*found, strict=True) if found else [()] * len(shape.columns)
        values[shape.name] = {
            column.name: dict(Counter(value for value in hashes if value is not None))
            for column, hashes in zip(shape.columns, columns, strict=True)
        }
    return Contents(rows=rows, values=values, too_large=tuple(too_large))


def _hashes(session: Connection, shape: Shape) -> list[tuple[int | None, ...]] | None:
    columns = [sql.SQL("hashtextextended({}::text, 0)").format(sql.Identifier(c.name)) for c in shape.columns]
    statement = sql.SQL("select {} from {} limit {}").format(
        sql.SQL(", ").join(columns),
        sql.SQL(trusted(shape.name)),
        sql.Literal(LARGEST + 1),
    )
    with session.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        found = cursor.execute(statement).fetchall()
    return None if len(found) > LARGEST else found


def losses(before: Contents, after: Contents) -> list[Loss]:
    """Name what the first had and the second has not."""
    found = []
    for table, columns in before.values.items():
        had = before.rows[table]
        if table in after.too_large or had == 0:
            continue
        if table not in after.values:
            found.append(Loss(table=table, column=None, lost=had, of=had))
            continue
        if after.rows[table] < had:
            found.append(Loss(table=table, column=None, lost=had - after.rows[table], of=had))
            continue
        for column, values in columns.items():
            count = sum(values.values())
            now = Counter(after.values[table].get(column, {}))
            lost = count - (Counter(values) & now).total()
            if lost:
                changed = now.total() >= count
                found.append(Loss(table=table, column=column, lost=lost, of=count, changed=changed))
    return found
