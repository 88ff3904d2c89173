"""A database's schema as a value that can be compared.

Everything a migration can make is read: one query file per kind of object. A column that was dropped
and added again stands at the end of its table; that is a difference of level `info`, because no
statement that names its columns can tell. So is a constraint that has been validated meanwhile:
Postgres cannot take that back, and nothing refuses a row for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from psycopg import IsolationLevel
from pydantic import BaseModel

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.queries import query
from neondba.postgres.seen import Change, Difference, Level

KINDS: Final = {
    "schemas": "schema",
    "extensions": "extension",
    "enums": "enum type",
    "domains": "domain",
    "types": "type",
    "sequences": "sequence",
    "tables": "table",
    "columns": "column",
    "constraints": "constraint",
    "indexes": "index",
    "views": "view",
    "functions": "function",
    "triggers": "trigger",
    "policies": "policy",
    "statistics": "statistics object",
    "grants": "grant on",
    "comments": "comment on",
}
"""Query file to the word used for one object of that kind."""

Attributes = dict[str, str | None]


class Catalog(BaseModel):
    """The objects of one database, by kind and name."""

    objects: dict[str, dict[str, Attributes]]

    def names(self, kind: str) -> set[str]:
        """Give the names of all objects of a kind."""
        return set(self.objects.get(kind, {}))

    def without(self, tables: Collection[str]) -> Catalog:
        """Leave out some tables and whatever hangs on them."""
        return Catalog(
            objects={
                kind: {name: value for name, value in named.items() if not _belongs(name, tables)}
                for kind, named in self.objects.items()
            }
        )


def _belongs(name: str, tables: Collection[str]) -> bool:
    padded = f" {name}."
    return any(f" {table}." in padded or f" {table} " in padded for table in tables)


def snapshot(session: Connection) -> Catalog:
    """Read the whole schema in one consistent look."""
    session.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with session.transaction():
            return read(session)
    finally:
        session.isolation_level = None


def read(session: Connection) -> Catalog:
    """Read the schema as the open transaction sees it."""
    objects: dict[str, dict[str, Attributes]] = {}
    path = session.execute("select current_setting('search_path') as path").fetchone()
    # With an empty path, Postgres qualifies every name it prints.
    session.execute("set local search_path = ''")
    with session.pipeline():
        cursors = {file: session.execute(trusted(query(file))) for file in KINDS}
    session.execute("select set_config('search_path', %s, true)", [path["path"] if path else ""])
    for file, word in KINDS.items():
        objects[word] = {str(row.pop("name")): _attributes(row) for row in cursors[file].fetchall()}
    return Catalog(objects=objects)


def _attributes(row: dict[str, Any]) -> Attributes:
    return {key: None if value is None else _plain(value) for key, value in row.items()}


def _plain(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def diff(before: Catalog, after: Catalog) -> list[Difference]:
    """Say in which ways the second schema differs from the first."""
    found: list[Difference] = []
    for kind in KINDS.values():
        old, new = before.objects.get(kind, {}), after.objects.get(kind, {})
        found += [
            Difference(kind=kind, name=n, change=Change.REMOVED) for n in sorted(old.keys() - new.keys())
        ]
        found += [Difference(kind=kind, name=n, change=Change.ADDED) for n in sorted(new.keys() - old.keys())]
        for name in sorted(old.keys() & new.keys()):
            found += _changed(kind, name, old[name], new[name])
    return list(_without_parts(found))


def _changed(kind: str, name: str, old: Attributes, new: Attributes) -> Iterator[Difference]:
    for attribute in sorted(old.keys() | new.keys()):
        if old.get(attribute) != new.get(attribute):
            yield Difference(
                kind=kind,
                name=name,
                change=Change.CHANGED,
                attribute=attribute,
                before=old.get(attribute),
                after=new.get(attribute),
                level=_level(attribute, new.get(attribute)),
            )


def _level(attribute: str, value: str | None) -> Level:
    """Take a column's place, and a constraint that is now validated, lightly."""
    harmless = attribute == "position" or (attribute == "validated" and value == "yes")
    return Level.INFO if harmless else Level.DIFFERENCE


def _without_parts(found: list[Difference]) -> Iterator[Difference]:
    """Leave out the parts of a table that itself came or went."""
    whole = {(d.change, d.name) for d in found if d.kind in ("table", "view", "sequence", "function")}
    for difference in found:
        inside = {difference.name.rpartition(".")[0]}
        if difference.kind in ("grant on", "comment on"):
            target = difference.name.partition(" ")[2].partition(" to ")[0]
            inside = {target, target.rpartition(".")[0]}
        if not any((difference.change, name) in whole for name in inside):
            yield difference
