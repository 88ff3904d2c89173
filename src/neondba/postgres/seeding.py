"""Put a few rows into every table, so that what follows runs on data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.seen import NotSeeded
from neondba.postgres.shapes import Constraint, Shape, shapes
from neondba.postgres.values import candidates

MOST_TRIES = 60
Values = dict[str, str | None]


class CannotSeedError(Exception):
    """No row could be made for a table."""


class Seeder:
    """Make rows from what the catalog says of each table."""

    def __init__(self, session: Connection) -> None:
        self._session = session
        self.shapes = shapes(session)
        self._number = 0

    def start_at(self, number: int) -> None:
        """Count from here, so that several seeders of one table do not make the same values."""
        self._number = number

    def fill(self, skip: Iterable[str] = (), *, nulls: bool = True) -> tuple[list[str], list[NotSeeded]]:
        """Give each empty table two full rows, and one with nulls where they may be."""
        filled, failed = [], []
        for name, shape in self.shapes.items():
            if name in skip or not self._is_empty(name):
                continue
            try:
                for row in range(3 if nulls else 2):
                    self.insert(shape, nulls=row == 2)
                filled.append(name)
            except CannotSeedError as error:
                if self._is_empty(name):
                    failed.append(NotSeeded(table=name, reason=str(error)))
                else:
                    filled.append(name)
        return filled, failed

    def more(self, shape: Shape, *, nulls: bool = True) -> None:
        """Add a full row, and one with nulls; do without where none fits."""
        for null in (False, True) if nulls else (False,):
            with contextlib.suppress(CannotSeedError):
                self.insert(shape, nulls=null)

    def empty(self, tables: Iterable[str]) -> None:
        """Take all rows out of tables that this seeder filled."""
        existing = [name for name in tables if name in self.shapes]
        if existing:
            listed = sql.SQL(", ").join(_table(name) for name in existing)
            self._session.execute(sql.SQL("truncate {} cascade").format(listed))

    def insert(
        self, shape: Shape, fixed: Mapping[str, str | None] | None = None, *, nulls: bool = False
    ) -> Values:
        """Insert one row and give it back as texts.

        Raises:
            CannotSeedError: no values were found that the table accepts.
        """
        self._number += 1
        options = self._options(shape, fixed or {}, nulls)
        chosen = dict.fromkeys(options, 0)
        said = ""
        for _ in range(MOST_TRIES):
            values = {name: texts[chosen[name] % len(texts)] for name, texts in options.items()}
            try:
                with self._session.transaction():
                    return self._sent(shape, values)
            except psycopg.Error as error:
                said = said or str(error).strip().split("\n")[0]
                if not self._advance(shape, error, options, chosen):
                    break
        raise CannotSeedError(said)

    def _options(
        self, shape: Shape, fixed: Mapping[str, str | None], nulls: bool
    ) -> dict[str, list[str | None]]:
        options: dict[str, list[str | None]] = {}
        for column in shape.columns:
            if column.name in fixed:
                options[column.name] = [fixed[column.name]]
            elif column.generated or column.numbered:
                continue
            elif nulls and not column.not_null and column.default is None:
                options[column.name] = [None]
            else:
                texts: list[str | None] = list(candidates(shape, column, self._number))
                if texts:
                    options[column.name] = texts
                elif column.default is None and not column.not_null:
                    options[column.name] = [None]
        for key in shape.foreign_keys:
            self._refer(shape, key, options, set(fixed))
        return options

    def _refer(
        self, shape: Shape, key: Constraint, options: dict[str, list[str | None]], fixed: set[str]
    ) -> None:
        """Let a foreign key's columns hold a row that exists, or null."""
        if fixed & set(key.columns) or all(options.get(c) == [None] for c in key.columns):
            return
        rows = self._some_rows(key)
        if not rows:
            for name in key.columns:
                column = shape.column(name)
                if column is not None and not column.not_null:
                    options[name] = [None]
            return
        at = self._number % len(rows)
        for position, name in enumerate(key.columns):
            options[name] = [row[position] for row in rows[at:] + rows[:at]]

    def _some_rows(self, key: Constraint) -> list[list[str | None]]:
        columns = [sql.SQL("{}::text").format(sql.Identifier(c)) for c in key.target_columns]
        # The newest rows: full ones come first and shall not be used up.
        statement = sql.SQL("select {} from {} limit 5").format(
            sql.SQL(", ").join(columns), _table(key.target or "")
        )
        with self._session.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
            return [list(row) for row in cursor.execute(statement).fetchall()]

    def _sent(self, shape: Shape, values: Values) -> Values:
        names = list(values)
        returned = sql.SQL(", ").join(
            sql.SQL("{}::text as {}").format(sql.Identifier(c.name), sql.Identifier(c.name))
            for c in shape.columns
        )
        types = {c.name: c.type for c in shape.columns}
        row = self._session.execute(
            sql.SQL("insert into {} {} returning {}").format(
                _table(shape.name),
                sql.SQL("({}) values ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.SQL(", ").join(
                        sql.SQL("cast(%s as {})").format(sql.SQL(trusted(types[n]))) for n in names
                    ),
                )
                if names
                else sql.SQL("default values"),
                returned,
            ),
            list(values.values()),
        ).fetchone()
        return {str(key): None if value is None else str(value) for key, value in (row or {}).items()}

    def _advance(
        self, shape: Shape, error: psycopg.Error, options: dict[str, list[str | None]], chosen: dict[str, int]
    ) -> bool:
        """Choose other values for the columns an error blames; false if none are left."""
        blamed = self._blamed(shape, error)
        movable = [name for name in blamed if name in options and chosen[name] + 1 < len(options[name])]
        if not movable:
            return False
        name = min(movable, key=lambda n: chosen[n])
        chosen[name] += 1
        return True

    def _blamed(self, shape: Shape, error: psycopg.Error) -> list[str]:
        named = error.diag.constraint_name
        for constraint in shape.constraints:
            if constraint.name == named:
                return list(constraint.columns)
        if isinstance(error, (psycopg.errors.CheckViolation, psycopg.errors.DataError)):
            return [c.name for c in shape.columns]
        return []

    def _is_empty(self, name: str) -> bool:
        row = self._session.execute(
            sql.SQL("select 1 as one from {} limit 1").format(_table(name))
        ).fetchone()
        return row is None


def _table(name: str) -> Any:
    """Use a name that Postgres itself has quoted."""
    return sql.SQL(trusted(name))
