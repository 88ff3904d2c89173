"""All rows of a small database: read before and after something, and put back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.shapes import Column, Shape

MOST_ROWS: Final = 5000
"""A table with more rows, by Postgres's own estimate, is not watched."""
MARK: Final = "neondba watches"
"""Stands in our own statements, so that they are not taken for somebody else's."""
Rows = dict[str, dict[str, str]]
"""Table to key to the whole row as the text of a JSON object."""
Deed = tuple[Callable[[str, str], None], str, str]


@dataclass(frozen=True)
class Changed:
    """One row that came, went or is another now."""

    table: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def verb(self) -> str:
        """Say what happened to it."""
        return "added" if self.before is None else "deleted" if self.after is None else "changed"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns whose value differs."""
        old, new = self.before or {}, self.after or {}
        return tuple(name for name in {**old, **new} if old.get(name) != new.get(name))


@dataclass
class RowWatch:
    """Reads and restores the rows of some tables."""

    session: Connection
    shapes: Mapping[str, Shape]
    unwatched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        counted = self.session.execute("select oid, reltuples::bigint as n from pg_class").fetchall()
        large = {row["oid"] for row in counted if row["n"] > MOST_ROWS}
        self.unwatched = [name for name, shape in self.shapes.items() if shape.oid in large]
        self._watched = {n: s for n, s in self.shapes.items() if s.oid not in large}
        parts = [
            sql.SQL("select /* {} */ {}::text as t, to_jsonb(r)::text as v from {} r").format(
                sql.SQL(MARK), sql.Literal(name), sql.SQL(trusted(name))
            )
            for name in self._watched
        ]
        self._query = sql.SQL(" union all ").join(parts)

    def read(self) -> Rows:
        """Give every row that there is now."""
        found: Rows = {name: {} for name in self._watched}
        if not found:
            return found
        with self.session.cursor(row_factory=tuple_row) as cursor:
            for table, text in cursor.execute(self._query):
                found[table][self._key(table, text)] = text
        return found

    def _key(self, table: str, text: str) -> str:
        key = self._watched[table].primary_key
        if not key:
            return text
        row = values_of(text)
        return "|".join(str(row.get(name)) for name in key)

    def restore(self, before: Rows, after: Rows) -> None:
        """Make the rows what they were: changed ones set back, new ones gone, gone ones back."""
        touched = [name for name in self._watched if before[name] != after[name]]
        if not touched:
            return
        with self.session.transaction():
            for name in touched:
                self._triggers(name, "disable")
            self._done(list(self._deeds(touched, before, after)))
            for name in touched:
                self._triggers(name, "enable")

    def _deeds(self, touched: list[str], before: Rows, after: Rows) -> Iterator[Deed]:
        for name in reversed(touched):
            gone = after[name].keys() - before[name].keys()
            yield from ((self._delete, name, after[name][key]) for key in gone)
        for name in touched:
            for key, text in before[name].items():
                if key not in after[name]:
                    yield self._insert, name, text
                elif after[name][key] != text:
                    yield self._update, name, text

    def _done(self, deeds: list[Deed]) -> None:
        """Do everything, and again what a foreign key had forbidden until something else was done."""
        while deeds:
            waiting = []
            for deed in deeds:
                do, table, text = deed
                try:
                    with self.session.transaction():
                        do(table, text)
                except psycopg.errors.IntegrityError:
                    waiting.append(deed)
            if len(waiting) == len(deeds):
                return
            deeds = waiting

    def without_children(self, table: str, base: Rows) -> Rows:
        """Take away the rows that hang on a table, so that its own can be deleted."""
        waiting, below = [table], list[str]()
        while waiting:
            parent = waiting.pop()
            for name, shape in self._watched.items():
                refers = any(key.target == parent for key in shape.foreign_keys)
                if refers and name not in below and name != table:
                    below.append(name)
                    waiting.append(name)
        bare = {name: {} if name in below else rows for name, rows in base.items()}
        self.restore(bare, base)
        return self.read()

    def _triggers(self, table: str, verb: str) -> None:
        self.session.execute(
            sql.SQL("alter table {} {} trigger user").format(sql.SQL(trusted(table)), sql.SQL(trusted(verb)))
        )

    def _insert(self, table: str, text: str) -> None:
        columns = _writable(self._watched[table])
        names = sql.SQL(", ").join(sql.Identifier(c.name) for c in columns)
        self.session.execute(
            sql.SQL(
                "insert into {t} ({n}) overriding system value select {n} from"
                " jsonb_populate_record(null::{t}, %s::jsonb) on conflict do nothing"
            ).format(t=sql.SQL(trusted(table)), n=names),
            [text],
        )

    def _update(self, table: str, text: str) -> None:
        shape = self._watched[table]
        names = [c.name for c in _writable(shape) if c.name not in shape.primary_key and not c.generated]
        if not names:
            return
        sets = sql.SQL(", ").join(sql.SQL("{0} = o.{0}").format(sql.Identifier(name)) for name in names)
        self._about(table, text, sql.SQL("update {t} r set {s} from").format(t=_name(table), s=sets))

    def _delete(self, table: str, text: str) -> None:
        self._about(table, text, sql.SQL("delete from {} r using").format(_name(table)))

    def _about(self, table: str, text: str, verb: sql.Composed) -> None:
        """Change the one row that a text describes."""
        key = self._watched[table].primary_key
        same: sql.Composable = sql.SQL(" and ").join(
            sql.SQL("r.{0} = o.{0}").format(sql.Identifier(name)) for name in key
        )
        if not key:
            same = sql.SQL("to_jsonb(r) = to_jsonb(o)")
        source = sql.SQL(" jsonb_populate_record(null::{}, %s::jsonb) o where ").format(_name(table))
        self.session.execute(verb + source + same, [text])


def _name(table: str) -> sql.SQL:
    return sql.SQL(trusted(table))


def _writable(shape: Shape) -> Iterable[Column]:
    """Leave out what the server computes; an identity that it numbers may be overridden."""
    return [c for c in shape.columns if not c.generated or c.name in shape.primary_key]


def values_of(text: str) -> dict[str, Any]:
    """Give the columns of a row's text; numbers keep all their digits."""
    return dict(json.loads(text, parse_float=str))


def changes(before: Rows, after: Rows) -> list[Changed]:
    """Say which rows differ between two looks."""
    found = []
    for table in before:
        old, new = before[table], after.get(table, {})
        for key in [*old, *(k for k in new if k not in old)]:
            if old.get(key) != new.get(key):
                was, now = old.get(key), new.get(key)
                found.append(
                    Changed(table, key, values_of(was) if was else None, values_of(now) if now else None)
                )
    return found


def number_apart(session: Connection, shapes: Mapping[str, Shape]) -> None:
    """Let each table count its keys from a number of its own, so that an id tells its table."""
    for at, shape in enumerate(shapes.values(), start=1):
        for column in shape.columns:
            if column.base not in ("int4", "int8") or column.name not in shape.primary_key:
                continue
            session.execute(
                "select setval(s, greatest(%s, coalesce(pg_sequence_last_value(s::regclass), 0)))"
                " from pg_get_serial_sequence(%s, %s) s where s is not null",
                [at * 100_000 + 7_340_011, shape.name, column.name],
            )
