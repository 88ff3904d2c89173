"""Which rows of a table differ between two databases, by key.

Both tables are read in the order of their keys and compared while they stream: however large they
are, only rows that differ are kept, and no more of them than asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import BaseModel

from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.postgres.connect import Connection, trusted
from neondba.postgres.ddl.names import last, namespace, plain
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import Constraint, Table
from neondba.postgres.seen import Change

BATCH: Final = 2000
"""Rows that come from the server at a time."""

KeyedRow = tuple[str, str]
"""The key as a JSON list, and the row as a JSON object, both as text."""


class RowChange(BaseModel):
    """One row that one side lacks, or has with other values."""

    key: dict[str, Any]
    change: Change
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None

    @property
    def columns(self) -> list[str]:
        """Name the columns whose values differ."""
        old, new = self.before or {}, self.after or {}
        return [name for name in new if old.get(name) != new.get(name)]


class TableDifference(BaseModel):
    """How the rows of one table differ."""

    table: str
    key: tuple[str, ...]
    added: int = 0
    removed: int = 0
    changed: int = 0
    rows: tuple[RowChange, ...] = ()
    """The first of them; the counts are of all."""
    not_compared: tuple[str, ...] = ()
    """Columns that only one side has."""

    @property
    def total(self) -> int:
        """How many rows differ."""
        return self.added + self.removed + self.changed


def find_table(wanted: str, *schemas: Schema) -> str:
    """Give the quoted qualified name of a table that is meant.

    Raises:
        NotFoundProblem: no schema has it.
        ArgumentProblem: several tables are called so.
    """
    there = sorted({table.name for schema in schemas for table in schema.of(Table)})
    if wanted in there:
        return wanted
    spoken = {name: (plain(namespace(name)), plain(last(name))) for name in there}
    found = [name for name, parts in spoken.items() if wanted in (parts[1], ".".join(parts))]
    found = [name for name in found if spoken[name][0] == "public"] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise ArgumentProblem(
            "table-ambiguous",
            f"Several tables are called {wanted}: {', '.join(found)}.",
            hint=f"Name one with its schema, as {found[0]}.",
        )
    import difflib

    near = difflib.get_close_matches(wanted, [parts[1] for parts in spoken.values()], n=1)
    raise NotFoundProblem(
        "table-not-found",
        f"There is no table {wanted}.",
        hint=f"Did you mean {near[0]}?" if near else "Name it as in SCHEMA.TABLE.",
    )


def key_of(table: str, *schemas: Schema) -> tuple[str, ...]:
    """Give the columns by which the rows of a table are told apart in every schema that has it.

    The primary key, or else a unique constraint over columns that are never null.

    Raises:
        ArgumentProblem: there is none that all of them have.
    """
    having = [schema for schema in schemas if schema.get(Table, table) is not None]
    keys = [_keys(table, schema) for schema in having]
    for key in keys[0] if keys else []:
        if all(key in others for others in keys):
            return key
    raise ArgumentProblem(
        "key-missing",
        f"The rows of {table} cannot be compared: it has no primary key"
        + (" that both sides share." if any(keys) else "."),
        hint="Give it a primary key, or a unique constraint over columns that are NOT NULL.",
        table=table,
    )


def _keys(table: str, schema: Schema) -> list[tuple[str, ...]]:
    nullable = {column.part for column in schema.columns(table) if not column.not_null}
    found = [
        part
        for part in schema.parts(table)
        if isinstance(part, Constraint) and part.type in ("primary key", "unique")
    ]
    found = [each for each in found if not nullable & set(each.columns)]
    found.sort(key=lambda each: (each.type != "primary key", each.name))
    return [each.columns for each in found]


def only_on_one_side(table: str, before: Schema, after: Schema) -> tuple[str, ...]:
    """Name the columns of a table that only one of two schemas has."""
    sides = [{column.part for column in schema.columns(table)} for schema in (before, after)]
    return tuple(sorted(sides[0] ^ sides[1])) if all(sides) else ()


def keyed_rows(
    session: Connection, table: str, key: Sequence[str], without: Sequence[str] = ()
) -> Iterator[KeyedRow]:
    """Stream the rows of a table in the order of their keys.

    Args:
        session: Open on the database; a transaction is begun if there is none.
        table: Its quoted qualified name.
        key: Quoted names of the key's columns.
        without: Quoted names of columns to leave out.
    """
    parts = ", ".join(f"t.{column}" for column in key)
    left_out = "".join(f" - {_text(plain(column))}" for column in without)
    statement = (
        f"select jsonb_build_array({parts})::text as key, (to_jsonb(t){left_out})::text as row "  # noqa: S608
        f'from {table} t order by jsonb_build_array({parts})::text collate "C"'
    )
    with session.transaction(), session.cursor(name="neondba_rows") as cursor:
        # Rows that a policy hides would look as if they were not there.
        session.execute("set local row_security = off")
        cursor.itersize = BATCH
        cursor.execute(trusted(statement))
        for row in cursor:
            yield row["key"], row["row"]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'::text"


def row_difference(
    table: str,
    key: tuple[str, ...],
    before: Iterator[KeyedRow],
    after: Iterator[KeyedRow],
    *,
    limit: int,
    not_compared: tuple[str, ...] = (),
) -> TableDifference:
    """Compare two streams of rows; keep the first that differ."""
    names = [plain(column) for column in key]
    counts = dict.fromkeys(Change, 0)
    rows: list[RowChange] = []
    for key_text, old, new in paired(before, after):
        if old == new:
            continue
        change = Change.ADDED if old is None else Change.REMOVED if new is None else Change.CHANGED
        counts[change] += 1
        if len(rows) < limit:
            rows.append(
                RowChange(
                    key=dict(zip(names, _read(key_text), strict=True)),
                    change=change,
                    before=_read(old) if old is not None else None,
                    after=_read(new) if new is not None else None,
                )
            )
    return TableDifference(
        table=table,
        key=tuple(names),
        added=counts[Change.ADDED],
        removed=counts[Change.REMOVED],
        changed=counts[Change.CHANGED],
        rows=tuple(rows),
        not_compared=tuple(plain(column) for column in not_compared),
    )


def _read(text: str) -> Any:
    return json.loads(text, parse_float=_exact)


def _exact(number: str) -> float | str:
    """Read a number; keep as text what would lose digits."""
    value = float(number)
    return value if repr(value) == number else number


def paired(
    before: Iterator[KeyedRow], after: Iterator[KeyedRow]
) -> Iterator[tuple[str, str | None, str | None]]:
    """Give each key with its row on either side."""
    for key, (old, new) in together(before, after):
        yield key, old, new


def together(*streams: Iterator[KeyedRow]) -> Iterator[tuple[str, list[str | None]]]:
    """Give each key with its row on every side; the order of keys is that of their bytes."""
    heads = [next(stream, None) for stream in streams]
    while any(head is not None for head in heads):
        first = min((head[0] for head in heads if head is not None), key=str.encode)
        rows: list[str | None] = []
        for place, head in enumerate(heads):
            if head is not None and head[0] == first:
                rows.append(head[1])
                heads[place] = next(streams[place], None)
            else:
                rows.append(None)
        yield first, rows
