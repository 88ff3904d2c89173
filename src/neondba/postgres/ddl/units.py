"""What a script makes, drops and alters one by one: objects, and ties that are cut and tied apart."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from neondba.postgres.ddl.names import last, namespace
from neondba.postgres.ddl.schema import Schema, is_derived
from neondba.postgres.ddl.values import Column, Part, Sequence, Table, Value

DEEPEST: Final = 10
"""Partitions of partitions are followed so far."""


class Default(Part):
    """The default of a column."""

    kind: Literal["default"] = "default"
    text: str


class OwnedBy(Value):
    """The tie of a sequence to the column with which it goes."""

    kind: Literal["owned by"] = "owned by"
    column: str


class ReplicaIdentity(Part):
    """The choice of what a table's changes are known by."""

    kind: Literal["replica identity"] = "replica identity"
    text: str


def units(schema: Schema) -> dict[str, Value]:
    """Give all units of a schema by key."""
    found: dict[str, Value] = dict(schema.compared)
    for value in schema.compared.values():
        tie = _tie(value)
        if tie is not None:
            found[tie.key] = tie
    return found


def _tie(value: Value) -> Value | None:
    if isinstance(value, Column) and value.default is not None:
        return Default(name=value.name, table=value.table, part=value.part, text=value.default)
    if isinstance(value, Sequence) and value.owned_by is not None:
        return OwnedBy(name=value.name, column=value.owned_by)
    if isinstance(value, Table) and value.replica_identity is not None:
        part = last(value.name)
        return ReplicaIdentity(name=value.name, table=value.name, part=part, text=value.replica_identity)
    return None


def needs(schema: Schema, there: dict[str, Value]) -> dict[str, set[str]]:
    """Give what each unit of a schema needs, by key."""
    found = {key: _named(schema.requires.get(key, ()), there, schema) for key in there}
    for key, value in there.items():
        if isinstance(value, ReplicaIdentity):
            found[key] |= {f"table {value.table}"} | _identity_index(value, there)
        if isinstance(value, Default):
            found[key].add(f"column {value.name}")
        if isinstance(value, OwnedBy):
            found[key] |= {
                each for each in (f"sequence {value.name}", f"column {value.column}") if each in there
            }
    return found


def _named(keys: Collection[str], there: dict[str, Value], schema: Schema, depth: int = 0) -> set[str]:
    """Put in place of what a partition has by inheritance that from which it stems."""
    found = {key for key in keys if key in there}
    for key in keys:
        value = schema.objects.get(key)
        if value is not None and is_derived(value) and depth < DEEPEST:
            parents = [each for each in schema.requires.get(key, ()) if each.startswith(f"{value.kind} ")]
            found |= _named(parents, there, schema, depth + 1)
    return found


def _identity_index(value: ReplicaIdentity, there: dict[str, Value]) -> set[str]:
    name = value.text.removeprefix("USING INDEX ")
    made = {f"index {namespace(value.table)}.{name}", f"constraint {value.table}.{name}"}
    return made & there.keys()


def occupies(value: Value) -> set[str]:
    """Name the places that only one object can have at a time."""
    kind = value.kind
    if kind in ("enum", "domain", "range"):
        return {f"type {value.name}"}
    if kind in ("table", "view", "type", "sequence"):
        return {f"relation {value.name}"} | ({f"type {value.name}"} if kind != "sequence" else set())
    if kind == "index":
        return {f"relation {value.name}"}
    if kind == "function":
        return {f"routine {value.name}"}
    if kind == "constraint" and isinstance(value, Part):
        makes_index = getattr(value, "type", "") in ("primary key", "unique", "exclude")
        places = {f"relation {namespace(value.table)}.{value.part}"} if makes_index else set()
        return places | (
            {f"primary key of {value.table}"} if getattr(value, "type", "") == "primary key" else set()
        )
    return set()


def needs_free(value: Value) -> set[str]:
    """Name the places that must be free for an object; a sequence needs one that it does not take."""
    return occupies(value) | ({f"type {value.name}"} if value.kind == "sequence" else set())
