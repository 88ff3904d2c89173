"""Take tables off their parents, as a schema: what hung on them by inheritance becomes their own."""

from __future__ import annotations

from collections.abc import Collection

from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import Column, Constraint, Index, Part, Table, Trigger, Value


def hangs(table: Table) -> tuple[object, ...]:
    """Say where a table hangs."""
    return (table.partition_of, table.bound, table.inherits)


def to_detach(before: Schema, after: Schema, rebuilt: Collection[str]) -> tuple[set[str], set[str]]:
    """Name the tables to take off their parents first, and those to hang up last.

    A partition to which a foreign key leads through its parent cannot be dropped before it is taken off.

    Args:
        before: The schema as it is.
        after: The schema as it shall be.
        rebuilt: Tables that are dropped and made anew.
    """
    off, on = set(), set()
    gone = {table.name for table in before.of(Table) if after.get(Table, table.name) is None} | set(rebuilt)
    for table in before.of(Table):
        new = after.get(Table, table.name)
        if new is None or table.name in rebuilt:
            continue
        parents = {table.partition_of, *table.inherits} - {None}
        if hangs(table) != hangs(new) or parents & gone:
            off |= {table.name} if parents else set()
            on |= {table.name} if new.partition_of or new.inherits else set()
    referenced = {each.references for each in before.of(Constraint) if not each.inherited}
    off |= {name for name in gone if referenced & set(ancestors(name, before))}
    return off, on


def ancestors(name: str, schema: Schema) -> list[str]:
    """Name the partitioned tables above a partition."""
    table = schema.get(Table, name)
    if table is None or table.partition_of is None:
        return []
    return [table.partition_of, *ancestors(table.partition_of, schema)]


def detached(schema: Schema, tables: Collection[str], *, beside: Schema | None = None) -> Schema:
    """Give the schema with some tables off their parents.

    Args:
        schema: The schema.
        tables: The tables to take off.
        beside: What is there already, where they are hung up later: Postgres makes the rest by itself.
    """
    if not tables:
        return schema
    changed: list[Value] = []
    gone: list[str] = []
    for name in tables:
        table = schema.get(Table, name)
        assert table is not None
        changed.append(table.model_copy(update={"partition_of": None, "bound": None, "inherits": ()}))
        for part in schema.parts(name):
            if isinstance(part, Trigger) and part.inherited:
                gone.append(part.key)
            elif isinstance(part, Column) and part.inherited:
                changed.append(_own_column(part, table))
            elif isinstance(part, Constraint | Index) and part.inherited:
                if any(each.startswith(f"constraint {name}.") for each in schema.requires.get(part.key, ())):
                    continue  # It belongs to another foreign key of this very table.
                needed = isinstance(part, Constraint) and part.type == "check"
                if beside is not None and part.key not in beside.objects and not needed:
                    continue
                changed.append(part.model_copy(update={"inherited": False}))
    requires = {key: _without_parents(key, needed, schema, tables) for key, needed in schema.requires.items()}
    return schema.replaced(changed, gone).model_copy(update={"requires": requires})


def _own_column(column: Column, table: Table) -> Column:
    own = column.model_copy(update={"inherited": False, "local": True})
    if table.partition_of is not None and column.identity is not None:
        return own.model_copy(update={"identity": None, "sequence": None})
    return own


def _without_parents(
    key: str, needed: tuple[str, ...], schema: Schema, tables: Collection[str]
) -> tuple[str, ...]:
    value = schema.objects.get(key)
    name = value.table if isinstance(value, Part) else value.name if isinstance(value, Table) else None
    table = schema.get(Table, name) if name in tables and name is not None else None
    if table is None:
        return needed
    parents = {table.partition_of, *table.inherits}
    return tuple(each for each in needed if _table_of(schema.objects.get(each)) not in parents)


def _table_of(value: Value | None) -> str:
    if isinstance(value, Part):
        return value.table
    return value.name if isinstance(value, Table) else ""
