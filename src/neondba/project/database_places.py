"""Where the project writes what a database's catalog shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from neondba.postgres.statement import Grant, Name
from neondba.project.places import is_document, is_test
from neondba.project.row_security import Placed, RowSecurity
from neondba.project.schema import Schema
from neondba.project.schema_table import Table
from neondba.project.tree import Tree

Place = tuple[str, int]
LANGUAGES = (".py", ".ts", ".js", ".mts", ".mjs")
"""Files in which migrations hold statements as text."""
_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


@dataclass(frozen=True)
class Spot:
    """One object: where it is written, and where else."""

    path: str
    line: int
    also: tuple[Place, ...] = ()


def name_of(text: str) -> Name:
    """Read a qualified name as Postgres writes it."""
    parts = [quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(text)]
    return Name(parts[-1], parts[-2] if len(parts) > 1 else None)


def bare(column: str) -> str:
    """Take the quotes off a column's name."""
    return column[1:-1].replace('""', '"') if column.startswith('"') else column


class Places:
    """The files and lines of tables, columns, keys, indexes, policies and functions.

    What no file defines stands at `database:` and its name.
    """

    def __init__(self, tree: Tree, schema: Schema, security: RowSecurity) -> None:
        self._tree, self._schema, self._security = tree, schema, security

    @classmethod
    def gather(cls, tree: Tree, schema: Schema, security: RowSecurity) -> Places:
        """Take the definitions that are known already, and the text of other migrations."""
        return cls(tree, schema, security)

    def other(self, *parts: str) -> Spot:
        """Place something that no file defines."""
        return Spot("database:" + ".".join(parts), 1)

    def table(self, relation: str) -> Spot:
        """Place a table."""
        return _spot(((t.path, t.line) for t in self._definitions(relation)), (), self.other(relation))

    def column(self, relation: str, column: str) -> Spot:
        """Place a column."""
        tables = self._definitions(relation)
        wanted = bare(column).lower()
        found = [(c.path, c.line) for t in tables for c in t.columns.values() if c.name.lower() == wanted]
        return _spot(found, _tables(tables), self.other(relation, column))

    def foreign_key(self, relation: str, columns: Iterable[str], name: str) -> Spot:
        """Place a foreign key: at its column where it has one."""
        wanted = [bare(c).lower() for c in columns]
        tables = self._definitions(relation)
        keys = [
            (k.path, k.line)
            for t in tables
            for k in t.foreign_keys
            if [c.lower() for c in k.columns] == wanted
        ]
        if len(wanted) == 1:
            return self._with(self.column(relation, wanted[0]), keys, self.other(relation, wanted[0]))
        return _spot(keys, _tables(tables), self.other(relation, name))

    def index(self, name: str, relation: str, columns: Iterable[str]) -> Spot:
        """Place an index by its name, else by its columns."""
        plain, wanted = name_of(name).name, [bare(c).lower() for c in columns]
        tables = self._definitions(relation)
        found = [
            (i.path, i.line)
            for table in tables
            for i in sorted(table.all_indexes, key=lambda index: index.name != plain)
            if i.name == plain or [(c or "").lower() for c in i.columns] == wanted
        ]
        return _spot(found, _tables(tables), self.other(name))

    def constraint(self, relation: str, name: str, columns: Iterable[str]) -> Spot:
        """Place a constraint: a foreign key by its columns, any other at its table."""
        tables = self._definitions(relation)
        named = [(k.path, k.line) for t in tables for k in t.foreign_keys if k.name == bare(name)]
        wanted = [*columns]
        known = self.foreign_key(relation, wanted, name) if wanted and not named else None
        if known is not None and not known.path.startswith("database:"):
            return known
        return _spot(named, _tables(tables), self.other(relation, name))

    def policy(self, relation: str, name: str) -> Spot:
        """Place a policy."""
        return self._secured(((name_of(relation).key, name),), self.table(relation), (relation, name))

    def policies(self, relation: str, names: Iterable[str]) -> Spot:
        """Place several policies of a table that have one fault: at the first."""
        every = [*names]
        wanted = tuple((name_of(relation).key, name) for name in every)
        return self._secured(wanted, self.table(relation), (relation, every[0]))

    def function(self, name: str, signature: str) -> Spot:
        """Place a function; overloads have one place."""
        key = name_of(name).key
        found = [p for s in self._security.states for k, p in s.functions.items() if k == key]
        places = [(p.path, p.line) for p in found] or self._written(
            "function", name_of(name).name, r'"?\s*\('
        )
        return _spot(places, (), self.other(signature))

    def grants(self, relations: Iterable[str]) -> list[Place]:
        """Give the places of grants on tables."""
        keys = {name_of(relation).key for relation in relations}
        return [
            (placed.path, placed.line)
            for state in self._security.states
            for placed in state.grants
            if isinstance(placed.action, Grant) and keys & {name.key for name in placed.action.objects}
        ]

    def _secured(self, wanted: tuple[tuple[str, str], ...], table: Spot, parts: tuple[str, str]) -> Spot:
        found: list[Placed] = [
            placed
            for state in self._security.states
            for pair in wanted
            if (placed := state.policies.get(pair)) is not None
        ]
        places = [(p.path, p.line) for p in found]
        for key, name in wanted if not places else ():
            on = rf'"?\s+on\s+(?:\w+\.)?"?{re.escape(key.rpartition(".")[2])}\b'
            places += self._written("policy", name, on)
        return _spot(places, [(table.path, table.line), *table.also], self.other(*parts))

    def _written(self, kind: str, name: str, after: str) -> list[Place]:
        """Search for a statement that stands in the text of another language."""
        made = re.compile(
            rf'create\s+(?:or\s+replace\s+)?{kind}\s+(?:\w+\.)?"?{re.escape(name)}{after}', re.IGNORECASE
        )
        return [
            (path, text.count("\n", 0, match.start()) + 1)
            for path in self._tree.having(LANGUAGES, (kind, kind.upper()))
            if not _is_aside(path) and (text := self._tree.text(path))
            for match in made.finditer(text)
        ]

    def _with(self, spot: Spot, more: list[Place], fallback: Spot) -> Spot:
        known = [] if spot.path.startswith("database:") else [(spot.path, spot.line)]
        return _spot([*known, *more], spot.also, fallback)

    def _definitions(self, relation: str) -> list[Table]:
        """Give the definitions of a table, the one to change first."""
        found = [t for t in self._schema.same_name(name_of(relation)) if not _is_aside(t.path)]
        return sorted(found, key=lambda t: (t.generated, not t.columns, not t.whole))


def _is_aside(path: str) -> bool:
    return is_test(path) or is_document(path)


def _tables(tables: list[Table]) -> list[Place]:
    return [(t.path, t.line) for t in tables]


def _spot(places: Iterable[Place], more: Iterable[Place], fallback: Spot) -> Spot:
    every: Iterator[Place] = iter(dict.fromkeys(places))
    first = next(every, None)
    if first is None:
        return Spot(fallback.path, fallback.line, tuple(dict.fromkeys(more)))
    return Spot(*first, tuple(p for p in dict.fromkeys([*every, *more]) if p != first))
