"""Rows of the target that do not satisfy what a merge demands of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from neondba.postgres.connect import Connection, Refused, Row, trusted
from neondba.postgres.ddl.conflict import Conflict, ConflictKind
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import Column, Constraint, Index

if TYPE_CHECKING:
    from neondba.postgres.ddl.statement import Script

SHOWN: Final = 5


def rows_in_the_way(session: Connection, before: Schema, after: Schema, script: Script) -> list[Conflict]:
    """Find them on a database that still has the schema from before.

    What depends on a column that the merge itself adds cannot be asked, and is left out.
    """
    found = []
    for key in dict.fromkeys(statement.object for statement in script.statements):
        old, new = before.compared.get(key), after.compared.get(key)
        for demand, query in _questions(old, new):
            with suppress(Refused), session.transaction():
                rows = session.execute(trusted(query)).fetchall()
                if rows:
                    found.append(_conflict(key, demand, rows))
    return found


def _conflict(key: str, demand: str, rows: list[Row]) -> Conflict:
    count = int(rows[0].pop("neondba_count"))
    for row in rows:
        row.pop("neondba_count", None)
    some = tuple({name: None if value is None else str(value) for name, value in row.items()} for row in rows)
    return Conflict(object=key, kind=ConflictKind.DATA, ours=demand, rows=some[:SHOWN], count=count)


def _questions(old: object, new: object) -> Iterator[tuple[str, str]]:
    if isinstance(new, Column):
        was = old.not_null if isinstance(old, Column) else False
        if new.not_null and not was and old is not None:
            nulls = f"SELECT * FROM {new.table} WHERE {new.part} IS NULL"  # noqa: S608
            yield f"{new.part} must not be null", _counted(nulls)
        elif old is None and new.not_null and new.default is None and not (new.identity or new.generated):
            yield f"{new.part} is required and has no default", _counted(f"SELECT * FROM {new.table}")  # noqa: S608
    elif isinstance(new, Constraint) and (
        not isinstance(old, Constraint) or old.definition != new.definition
    ):
        yield from _of_constraint(new)
    elif isinstance(new, Index) and new.unique and old is None:
        names = new.definition.partition("(")[2].rpartition(")")[0].partition(")")[0]
        yield f"{names} must be unique", _doubles(new.table, names)


def _of_constraint(new: Constraint) -> Iterator[tuple[str, str]]:
    columns = ", ".join(new.columns)
    if new.type == "check" and new.validated:
        expression = new.definition.removeprefix("CHECK").removesuffix("NO INHERIT").strip()
        yield new.definition, _counted(f"SELECT * FROM {new.table} WHERE NOT {expression}")  # noqa: S608
    elif new.type in ("unique", "primary key"):
        yield f"{columns} must be unique", _doubles(new.table, columns)
    elif new.type == "foreign key" and new.validated and new.references:
        other = new.definition.partition("REFERENCES")[2].partition("(")[2].partition(")")[0]
        pairs = zip(new.columns, other.split(", "), strict=False)
        same = " AND ".join(f"o.{theirs.strip()} = t.{ours}" for ours, theirs in pairs)
        there = " AND ".join(f"t.{column} IS NOT NULL" for column in new.columns)
        yield (
            f"no row of {new.references} for it",
            _counted(
                f"SELECT t.* FROM {new.table} t WHERE {there} AND NOT EXISTS "  # noqa: S608
                f"(SELECT FROM {new.references} o WHERE {same})"
            ),
        )


def _doubles(table: str, columns: str) -> str:
    return _counted(
        f"SELECT {columns}, count(*) AS rows FROM {table} GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608
    )


def _counted(query: str) -> str:
    return f"SELECT q.*, count(*) OVER () AS neondba_count FROM ({query}) q LIMIT {SHOWN}"  # noqa: S608
