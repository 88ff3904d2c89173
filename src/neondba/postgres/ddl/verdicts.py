"""Decide for every unit whether it is altered in its place or made anew, and what follows from that."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from neondba.postgres.ddl import change, values
from neondba.postgres.ddl.first import TYPES, Verdict, first, retyped
from neondba.postgres.ddl.partitions import ancestors
from neondba.postgres.ddl.schema import Schema, changed
from neondba.postgres.ddl.units import needs, units
from neondba.postgres.ddl.values import Column, Part, Table, Value

GONE = frozenset({Verdict.DROP, Verdict.REBUILD, Verdict.SWAP})
KEPT = frozenset({Verdict.KEEP, Verdict.ALTER})
TYPED = ("enum ", "domain ", "type ", "range ", "table ", "view ")
ADAPTS = ("index", "owned by", "replica identity", "table", "sequence")
"""Kinds that follow a column to its new type by themselves, or do not care."""


@dataclass
class Sides:
    """Both schemas unit by unit, and what was decided."""

    before: Schema
    after: Schema
    old: dict[str, Value] = field(init=False)
    new: dict[str, Value] = field(init=False)
    old_needs: dict[str, set[str]] = field(init=False)
    new_needs: dict[str, set[str]] = field(init=False)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    retyped: set[str] = field(default_factory=set)
    """Keys of columns whose values become ones of another type."""

    def __post_init__(self) -> None:
        self.old, self.new = units(self.before), units(self.after)
        self.old_needs, self.new_needs = needs(self.before, self.old), needs(self.after, self.new)

    def dependents(self) -> dict[str, set[str]]:
        """Give what needs each unit in the schema as it is."""
        found: dict[str, set[str]] = {}
        for key, needed in self.old_needs.items():
            for each in needed:
                found.setdefault(each, set()).add(key)
        return found


def decide(before: Schema, after: Schema) -> Sides:
    """Decide for every unit."""
    sides = Sides(before, after)
    for key in {**sides.old, **sides.new}:
        one, other = sides.old.get(key), sides.new.get(key)
        if one is None or other is None:
            sides.verdicts[key] = Verdict.MAKE if one is None else Verdict.DROP
        else:
            sides.verdicts[key] = first(one, other, after.major) if changed(one, other) else Verdict.KEEP
        if isinstance(one, Column) and isinstance(other, Column) and _other_values(one, other, sides):
            sides.retyped.add(key)
            sides.verdicts[key] = max(sides.verdicts[key], Verdict.ALTER, key=_weight)
    for key, value in sides.new.items():
        if isinstance(value, Table) and _key_retyped(value, sides):
            sides.verdicts[key] = Verdict.REBUILD
    _keep_own_indexes(sides)
    _spread(sides)
    return sides


def _keep_own_indexes(sides: Sides) -> None:
    """Make anew what Postgres would take for a part of an index that a parent gets."""
    for key, verdict in list(sides.verdicts.items()):
        index = sides.new.get(key)
        if verdict not in (Verdict.MAKE, Verdict.REBUILD) or index is None or index_shape(index) is None:
            continue
        assert isinstance(index, Part)
        for child in descendants(index.table, sides.after):
            for own in sides.after.parts(child):
                if index_shape(own) == index_shape(index) and sides.verdicts.get(own.key) in KEPT:
                    sides.verdicts[own.key] = Verdict.REBUILD


def taken_by_parents(sides: Sides, hung_up: Collection[str], after: Schema) -> list[str]:
    """Name the own indexes that Postgres would take for a part of a parent's when a table is hung up."""
    found = []
    for name in hung_up:
        parents = ancestors(name, after)
        shapes = {index_shape(part) for parent in parents for part in after.parts(parent)} - {None}
        found += [
            part.key
            for part in after.parts(name)
            if part.key in after.compared
            and index_shape(part) in shapes
            and sides.verdicts.get(part.key) in KEPT
        ]
    return found


def index_shape(value: Value) -> str | None:
    """Give what two indexes have in common that could stand for each other."""
    if isinstance(value, values.Index):
        return value.definition.partition(" USING ")[2]
    if isinstance(value, values.Constraint) and value.type in ("unique", "primary key"):
        return f"btree ({', '.join(value.columns)})"
    return None


def descendants(table: str, schema: Schema) -> list[str]:
    """Name the partitions of a table, and theirs."""
    found = []
    for child in schema.children.get(table, ()):
        if schema.get(Table, child) is not None and getattr(schema.get(Table, child), "partition_of", None):
            found += [child, *descendants(child, schema)]
    return found


def rebuilt_tables(before: Schema, after: Schema) -> set[str]:
    """Name the tables that no ALTER turns into what they shall be."""
    if not before.children:
        return set()  # Only children must know: they are taken off such a table first.
    sides = decide(before, after)
    return {
        value.name
        for key, value in sides.new.items()
        if isinstance(value, Table) and sides.verdicts[key] is Verdict.REBUILD
    }


def _other_values(before: Column, after: Column, sides: Sides) -> bool:
    if retyped(before, after):
        return True
    return row_types(before, sides.old_needs) != row_types(after, sides.new_needs)


def row_types(column: Column, needed: dict[str, set[str]]) -> set[str]:
    """Name what a column's values are made of: types, and tables whose rows are values."""
    return {each for each in needed[column.key] if each.startswith(TYPED) and each != f"table {column.table}"}


def _weight(verdict: Verdict) -> int:
    return (Verdict.KEEP, Verdict.ALTER, Verdict.REBUILD).index(verdict)


def _key_retyped(table: Table, sides: Sides) -> bool:
    """Tell whether a column changes by which a table is partitioned."""
    if table.partition_by is None or sides.verdicts[table.key] not in (Verdict.KEEP, Verdict.ALTER):
        return False
    return any(
        (column.key in sides.retyped or sides.verdicts.get(column.key) is Verdict.REBUILD)
        and re.search(rf"(?<!\w){re.escape(column.part)}(?!\w)", table.partition_by)
        for column in sides.after.columns(table.name)
    )


def _spread(sides: Sides) -> None:
    """Let the consequences run until nothing more follows."""
    dependents = sides.dependents()
    waiting = [key for key in sides.old if _disturbs(key, sides)]
    while waiting:
        key = waiting.pop()
        waiting += _hit(key, dependents.get(key, set()), sides)


def rebuild_too(sides: Sides, keys: list[str]) -> bool:
    """Make some units anew that could have been altered; tell whether there were any."""
    for key in keys:
        sides.verdicts[key] = Verdict.REBUILD
    _spread(sides)
    return bool(keys)


def _disturbs(key: str, sides: Sides) -> bool:
    return sides.verdicts[key] in GONE or key in sides.retyped or _loses_attributes(key, sides)


def _loses_attributes(key: str, sides: Sides) -> bool:
    old, new = sides.old.get(key), sides.new.get(key)
    if not isinstance(old, values.Composite) or not isinstance(new, values.Composite):
        return False
    return bool({name for name, _ in old.attributes} - {name for name, _ in new.attributes})


def _hit(key: str, dependents: set[str], sides: Sides) -> list[str]:
    """Decide anew for the units that need a disturbed one; give those that are disturbed in turn."""
    found = []
    for other in sorted(dependents):
        verdict = sides.verdicts[other]
        if verdict in GONE:
            continue
        if verdict is not Verdict.MAKE and _consequence(key, other, sides):
            found.append(other)
    if sides.verdicts[key] is Verdict.REBUILD:
        for part in _with_it(sides.old[key], sides):
            if sides.verdicts.get(part) in (Verdict.KEEP, Verdict.ALTER):
                sides.verdicts[part] = Verdict.REBUILD
                found.append(part)
    return found


def _with_it(value: Value, sides: Sides) -> list[str]:
    """Name what is dropped with a unit: the parts of a table, the same column of its children."""
    if isinstance(value, Table | values.View):
        return [part.key for part in sides.before.parts(value.name)]
    if isinstance(value, Column):
        return [each.key for each in inheriting(value, sides.before)]
    return []


def inheriting(column: Column, schema: Schema) -> list[Column]:
    """Give the columns of child tables that stem from one of their parent."""
    found = []
    for name in schema.children.get(column.table, ()):
        child = schema.get(Column, f"{name}.{column.part}")
        if child is not None and child.inherited:
            found.append(child)
    return found


def _consequence(key: str, other: str, sides: Sides) -> bool:
    """Decide for one unit that needs a disturbed one; tell whether it is disturbed itself."""
    value = sides.old[other]
    verdict = sides.verdicts[key]
    stays = key in sides.new_needs.get(other, set())
    if verdict is Verdict.SWAP:
        return _swapped_below(other, value, sides)
    if verdict is Verdict.DROP:
        if value.kind == "owned by":
            return _set(other, Verdict.REBUILD, sides)
        if sides.verdicts[other] is not Verdict.KEEP or isinstance(value, Column | Table):
            return False
        return _set(other, _anew(value), sides)
    if isinstance(value, Table) and key.startswith("table "):
        return False
    if verdict is Verdict.REBUILD:
        moves_away = not stays and sides.verdicts[other] is Verdict.ALTER
        return False if moves_away else _set(other, _anew(value), sides)
    if _loses_attributes(key, sides):
        soft = isinstance(value, Column | Table | values.Sequence) or value.kind in ("type", "domain")
        return False if soft else _set(other, Verdict.REBUILD, sides)
    return _retyped_below(key, other, value, sides)


def _anew(value: Value) -> Verdict:
    return Verdict.SWAP if isinstance(value, TYPES) else Verdict.REBUILD


def _set(key: str, verdict: Verdict, sides: Sides) -> bool:
    sides.verdicts[key] = verdict
    return True


def _swapped_below(other: str, value: Value, sides: Sides) -> bool:
    if isinstance(value, TYPES):
        return _set(other, Verdict.SWAP, sides)
    if isinstance(value, Column):
        if value.generated is not None:
            return _set(other, Verdict.REBUILD, sides)
        if other in sides.retyped:
            return False
        sides.retyped.add(other)
        sides.verdicts[other] = Verdict.ALTER
        table = sides.new.get(f"table {value.table}")
        if isinstance(table, Table) and _key_retyped(table, sides):
            sides.verdicts[table.key] = Verdict.REBUILD
            return bool(_hit(table.key, sides.dependents().get(table.key, set()), sides)) or True
        return True
    if isinstance(value, Table):
        return False
    return _set(other, Verdict.REBUILD, sides)


def _retyped_below(key: str, other: str, value: Value, sides: Sides) -> bool:
    """Decide for what uses a column that changes its type."""
    if value.kind in ADAPTS:
        return False
    if isinstance(value, Column):
        return value.generated is not None and _set(other, Verdict.REBUILD, sides)
    old, new = sides.old[key], sides.new[key]
    assert isinstance(old, Column)
    assert isinstance(new, Column)
    lighter = change.base_type(old.type) == change.base_type(new.type) and old.type != new.type
    if isinstance(value, values.Constraint):
        keeps = value.type in ("primary key", "unique") or lighter
        return False if keeps else _set(other, Verdict.REBUILD, sides)
    if value.kind == "default" and lighter:
        return False
    return _set(other, Verdict.REBUILD, sides)
