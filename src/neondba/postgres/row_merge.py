"""Combine what two sides have done to the rows of a table, by key and column, while the rows stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.postgres.ddl.conflict import Conflict, ConflictKind, Side
from neondba.postgres.ddl.names import literal, plain, quoted
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import Column, Constraint
from neondba.postgres.ddl.values import Sequence as SequenceValue
from neondba.postgres.row_difference import KeyedRow, together

AT_ONCE: Final = 500
"""Rows of one statement."""


@dataclass
class MergedRows:
    """What the rows of one table need to become those of both sides."""

    table: str
    key: tuple[str, ...]
    inserted: list[str] = field(default_factory=list)
    """Whole rows, as the server wrote them in JSON."""
    updated: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Whole rows of their side, and the columns to take."""
    deleted: list[str] = field(default_factory=list)
    """Rows of our side."""
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many rows change."""
        return len(self.inserted) + len(self.updated) + len(self.deleted)


def merge_rows(
    table: str,
    key: tuple[str, ...],
    base: Iterator[KeyedRow],
    ours: Iterator[KeyedRow],
    theirs: Iterator[KeyedRow],
    prefer: Mapping[str, Side],
) -> MergedRows:
    """Combine three streams of rows that are in the order of their keys.

    `prefer` settles conflicts: a table (`rows public.plans`), one row (`rows public.plans [1]`) or `*`.
    """
    found = MergedRows(table, key)
    for name, (before, we, they) in together(base, ours, theirs):
        if they in (before, we):
            continue
        side = next((prefer[k] for k in (f"rows {table} {name}", f"rows {table}", "*") if k in prefer), None)
        if they is None:
            if we == before or side is Side.THEIRS:
                found.deleted.append(we or name)
            elif side is None:
                found.conflicts.append(_conflict(table, name, before, we, they))
        elif we is None:
            if before is None or side is Side.THEIRS:
                found.inserted.append(they)
            elif side is None:
                found.conflicts.append(_conflict(table, name, before, we, they))
        else:
            _columns(found, name, before, we, they, side)
    return found


def _columns(found: MergedRows, name: str, before: str | None, we: str, they: str, side: Side | None) -> None:
    """Take the columns that only they have changed."""
    base, ours, theirs = _read(before), _read(we), _read(they)
    changed = [c for c in theirs if before is None or c not in base or base[c] != theirs[c]]
    wanted = [c for c in changed if c not in ours or ours[c] != theirs[c]]
    clash = [c for c in wanted if c in ours and (before is None or c not in base or base[c] != ours[c])]
    if clash and side is None:
        found.conflicts.append(_conflict(found.table, name, before, we, they))
    taken = [c for c in wanted if side is Side.THEIRS or c not in clash]
    if taken and not (clash and side is None):
        found.updated.append((they, tuple(taken)))


def _conflict(table: str, name: str, before: str | None, we: str | None, they: str | None) -> Conflict:
    return Conflict(
        object=f"rows {table}",
        kind=ConflictKind.ROW_CHANGED,
        attribute=name,
        base=before,
        ours=we,
        theirs=they,
    )


def _read(text: str | None) -> dict[str, Any]:
    # Numbers are compared as they are written: a float has lost digits.
    return {} if text is None else dict(json.loads(text, parse_float=str, parse_int=str))


def row_statements(merged: Sequence[MergedRows], schema: Schema) -> Iterator[tuple[str, bool]]:
    """Give the statements, referring tables last for new rows and first for rows that go.

    Each comes with whether it destroys rows or values.
    """
    ordered = _parents_first(merged, schema)
    for rows in reversed(ordered):
        yield from ((text, True) for text in _deletes(rows))
    for rows in ordered:
        yield from ((text, False) for text in _inserts(rows, schema))
        yield from ((text, True) for text in _updates(rows))
        if rows.inserted:
            yield from ((text, False) for text in _counters(rows.table, schema))


def _parents_first(merged: Sequence[MergedRows], schema: Schema) -> list[MergedRows]:
    by_table = {rows.table: rows for rows in merged}
    placed: dict[str, MergedRows] = {}

    def place(table: str, above: frozenset[str]) -> None:
        if table in placed or table in above:
            return
        for each in schema.of(Constraint):
            if each.table == table and each.references in by_table:
                place(str(each.references), above | {table})
        placed[table] = by_table[table]

    for table in by_table:
        place(table, frozenset())
    return list(placed.values())


def _source(table: str, rows: Sequence[str]) -> str:
    return f"jsonb_populate_recordset(NULL::{table}, {literal('[' + ', '.join(rows) + ']')})"


def _batches(rows: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def _deletes(rows: MergedRows) -> Iterator[str]:
    key = ", ".join(rows.key)
    for some in _batches(rows.deleted):
        yield f"DELETE FROM {rows.table} WHERE ({key}) IN (SELECT {key} FROM {_source(rows.table, some)})"  # noqa: S608


def _inserts(rows: MergedRows, schema: Schema) -> Iterator[str]:
    columns = [c for c in schema.columns(rows.table) if c.generated is None]
    names = ", ".join(c.part for c in columns)
    always = " OVERRIDING SYSTEM VALUE" if any(c.identity == "ALWAYS" for c in columns) else ""
    for some in _batches(rows.inserted):
        yield f"INSERT INTO {rows.table} ({names}){always} SELECT {names} FROM {_source(rows.table, some)}"  # noqa: S608


def _updates(rows: MergedRows) -> Iterator[str]:
    together: dict[tuple[str, ...], list[str]] = {}
    for row, columns in rows.updated:
        together.setdefault(columns, []).append(row)
    for columns, several in together.items():
        names = [quoted(c) for c in columns]
        set_ = ", ".join(f"{name} = new.{name}" for name in names)
        same = " AND ".join(f"old.{part} = new.{part}" for part in rows.key)
        for some in _batches(several):
            source = _source(rows.table, some)
            yield f"UPDATE {rows.table} AS old SET {set_} FROM {source} AS new WHERE {same}"  # noqa: S608


def _counters(table: str, schema: Schema) -> Iterator[str]:
    """Let identity columns and serials count on behind the rows that came."""
    owned = {s.owned_by for s in schema.of(SequenceValue)}
    for column in schema.columns(table):
        if column.identity is None and f"{table}.{column.part}" not in owned:
            continue
        which = f"pg_get_serial_sequence({literal(table)}, {literal(plain(column.part))})"
        yield _counted(table, column, which)


def _counted(table: str, column: Column, which: str) -> str:
    last = (
        "(SELECT last_value FROM pg_catalog.pg_sequences WHERE "  # noqa: S608
        f"format('%I.%I', schemaname, sequencename)::regclass = {which}::regclass)"
    )
    return f"SELECT setval({which}, greatest((SELECT max({column.part}) FROM {table}), {last}, 1))"  # noqa: S608
