"""Every object of one database, comparable and with what each needs to exist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from neondba.postgres.ddl.values import Column, Constraint, Index, Part, Table, Thing, Trigger, Value
from neondba.postgres.seen import Change

V = TypeVar("V", bound=Value)


class ObjectChange(BaseModel):
    """What became of one object between two schemas."""

    kind: str
    name: str
    change: Change
    attributes: dict[str, tuple[Any, Any]] = {}
    """Before and after of each attribute that changed."""

    @property
    def key(self) -> str:
        """Name the object among all objects of its database."""
        return f"{self.kind} {self.name}"


class Schema(BaseModel):
    """The objects of one database by key (`table public.users`), as read in one look."""

    model_config = ConfigDict(frozen=True)

    objects: dict[str, Thing]
    requires: dict[str, tuple[str, ...]] = {}
    """Key to the keys of what it needs. Besides objects there are `default COLUMN` and
    `owned by SEQUENCE`: what they need, their column or sequence itself does not."""
    role: str = ""
    """Who read it, quoted: default privileges of this role are in force when a script runs."""
    major: int = 18
    """The server's release."""
    not_compared: tuple[str, ...] = ()
    """What the database holds besides, such as `2 casts`."""

    def of(self, kind: type[V]) -> Iterator[V]:
        """Give the objects of a kind."""
        return iter(self._kinds.get(kind, []))

    def get(self, kind: type[V], name: str) -> V | None:
        """Give an object of a kind by its quoted qualified name."""
        found = self.objects.get(f"{kind.model_fields['kind'].default} {name}")
        return found if isinstance(found, kind) else None

    def columns(self, table: str) -> list[Column]:
        """Give a table's columns in their order."""
        return self._columns.get(table, [])

    def parts(self, table: str) -> list[Part]:
        """Give what hangs on a table, columns included."""
        return self._parts.get(table, [])

    @cached_property
    def _kinds(self) -> dict[type[Value], list[Any]]:
        found: dict[type[Value], list[Any]] = {}
        for value in self.objects.values():
            found.setdefault(type(value), []).append(value)
        return found

    @cached_property
    def _columns(self) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {}
        for column in sorted(self.of(Column), key=lambda each: each.position):
            found.setdefault(column.table, []).append(column)
        return found

    @cached_property
    def _parts(self) -> dict[str, list[Part]]:
        found: dict[str, list[Part]] = {}
        for part in self.objects.values():
            if isinstance(part, Part):
                found.setdefault(part.table, []).append(part)
        return found

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """The partitions of each table, and the tables that inherit from it."""
        found: dict[str, list[str]] = {}
        for table in self.of(Table):
            for parent in (table.partition_of, *table.inherits):
                if parent is not None:
                    found.setdefault(parent, []).append(table.name)
        return found

    @cached_property
    def compared(self) -> dict[str, Thing]:
        """The objects that are told apart: not those that Postgres makes for partitions by itself."""
        return {key: value for key, value in self.objects.items() if not is_derived(value)}

    @property
    def fingerprint(self) -> str:
        """Hash what is compared: another hash means that the database has moved."""
        seen = {key: {k: _ordered(v) for k, v in each.seen.items()} for key, each in self.compared.items()}
        text = json.dumps(seen, sort_keys=True, default=BaseModel.__str__)
        return hashlib.sha256(text.encode()).hexdigest()

    def replaced(self, values: Iterable[Value], without: Iterable[str] = ()) -> Schema:
        """Give a copy with some objects put in or exchanged, and some left out."""
        gone = set(without)
        objects: dict[str, Any] = {key: value for key, value in self.objects.items() if key not in gone}
        objects.update({value.key: value for value in values})
        return Schema.model_construct(
            objects=objects,
            requires=self.requires,
            role=self.role,
            major=self.major,
            not_compared=self.not_compared,
        )


def is_derived(value: Value) -> bool:
    """Tell whether Postgres itself makes and removes it with its parent's."""
    return isinstance(value, Constraint | Index | Trigger) and value.inherited


def changes(before: Schema, after: Schema) -> list[ObjectChange]:
    """Say which objects were added, removed or changed, in the order of their keys."""
    old, new = before.compared, after.compared
    found = []
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        value = one or other
        assert value is not None
        if one is None or other is None:
            change = Change.ADDED if one is None else Change.REMOVED
            found.append(ObjectChange(kind=value.kind, name=value.name, change=change))
        elif attributes := changed(one, other):
            found.append(
                ObjectChange(kind=value.kind, name=value.name, change=Change.CHANGED, attributes=attributes)
            )
    return found


def changed(before: Value, after: Value) -> dict[str, tuple[Any, Any]]:
    """Give each attribute in which two objects of the same key differ."""
    if before.__dict__ == after.__dict__:
        return {}
    old, new = before.seen, after.seen
    return {
        name: (old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if _ordered(old.get(name)) != _ordered(new.get(name))
    }


def _ordered(value: Any) -> Any:
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def is_partition(value: Value | None) -> bool:
    """Tell whether it is a table that hangs on a partitioned one."""
    return isinstance(value, Table) and value.partition_of is not None
