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
"""Rows of a table that are compared; of a larger one the first by its key, or none without a key."""
Bounds = dict[str, tuple[str, ...]]
"""The last key that is compared, of tables with more rows than that."""


class Contents(BaseModel):
    """The rows of some tables: for each column, how often each value occurs."""

    rows: dict[str, int]
    values: dict[str, dict[str, dict[int, int]]]
    """Table, column, hash of the value, how many."""
    too_large: tuple[str, ...] = ()


def contents(session: Connection, tables: Iterable[Shape], bounds: Bounds | None = None) -> Contents:
    """Read the rows of the tables; of large ones, up to a bound that is kept for the next time."""
    bounds = {} if bounds is None else bounds
    rows: dict[str, int] = {}
    values: dict[str, dict[str, dict[int, int]]] = {}
    too_large = []
    for shape in tables:
        found = _hashes(session, shape, bounds)
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


def _hashes(session: Connection, shape: Shape, bounds: Bounds) -> list[tuple[int | None, ...]] | None:
    if shape.name not in bounds:
        found = _read(session, shape, sql.SQL("limit {}").format(sql.Literal(LARGEST + 1)))
        if len(found) <= LARGEST:
            return found
        if not _bounded(session, shape, bounds):
            return None
    key = shape.primary_key
    if len(key) != len(bounds[shape.name]):
        return None
    types = {column.name: column.type for column in shape.columns}
    columns = sql.SQL(", ").join(map(sql.Identifier, key))
    values = sql.SQL(", ").join(
        sql.SQL("cast({} as {})").format(sql.Literal(value), sql.SQL(trusted(types[name])))
        for name, value in zip(key, bounds[shape.name], strict=True)
    )
    within = sql.SQL("where ({}) <= ({}) limit {}").format(columns, values, sql.Literal(2 * LARGEST))
    return _read(session, shape, within)


def _bounded(session: Connection, shape: Shape, bounds: Bounds) -> bool:
    """Note the key of the last row that is compared; false without a key."""
    if not shape.primary_key:
        return False
    names = [sql.Identifier(name) for name in shape.primary_key]
    # With the table's name before it, ORDER BY means the column, not its text in the list before.
    wanted = sql.SQL("select {} from {} t order by {} offset {} limit 1").format(
        sql.SQL(", ").join(sql.SQL("t.{}::text").format(name) for name in names),
        sql.SQL(trusted(shape.name)),
        sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in names),
        sql.Literal(LARGEST - 1),
    )
    with session.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        row = cursor.execute(wanted).fetchone()
    if row is not None:
        bounds[shape.name] = tuple(str(value) for value in row)
    return row is not None


def _read(session: Connection, shape: Shape, tail: sql.Composed) -> list[tuple[int | None, ...]]:
    columns = [sql.SQL("hashtextextended({}::text, 0)").format(sql.Identifier(c.name)) for c in shape.columns]
    name = sql.SQL(trusted(shape.name))
    statement = sql.SQL("select {} from {} {}").format(sql.SQL(", ").join(columns), name, tail)
    with session.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        return cursor.execute(statement).fetchall()


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
