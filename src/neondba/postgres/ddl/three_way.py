"""Combine what two sides have done to one schema since they parted.

Per object and, where both sides changed the same one, per attribute: what only one side has touched is
taken from it, what both have done alike is done once, and the rest is a conflict. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import BaseModel

from neondba.postgres.ddl.conflict import Conflict, ConflictKind, Side
from neondba.postgres.ddl.schema import Schema, changed, is_derived
from neondba.postgres.ddl.values import Part, Thing, Value

MISSING: Final = object()
UNDECIDED: Final = object()
LISTS: Final = ("labels", "attributes", "options")
"""Attributes whose members each side may add to and take from."""


class Merged(BaseModel):
    """The combined schema, and what could not be combined."""

    schema_: Schema
    conflicts: tuple[Conflict, ...] = ()


def three_way(base: Schema, ours: Schema, theirs: Schema, prefer: Mapping[str, Side] | None = None) -> Merged:
    """Combine two schemas that have grown from one.

    `prefer` settles conflicts: the key of an object, or `*` for all, to the side whose word counts.
    A schema with conflicts left holds our side's word for them.
    """
    return _Merge(base, ours, theirs, prefer or {}).done()


class _Merge:
    """One merge in the making."""

    def __init__(self, base: Schema, ours: Schema, theirs: Schema, prefer: Mapping[str, Side]) -> None:
        self._base, self._ours, self._theirs, self._prefer = base, ours, theirs, prefer
        self._values: dict[str, Value] = {}
        self._from: dict[str, set[Side]] = {}
        """Whose needs an object has: those of the side or sides that its value comes from."""
        self._conflicts: dict[tuple[str, str | None], Conflict] = {}

    def done(self) -> Merged:
        base, ours, theirs = self._base.compared, self._ours.compared, self._theirs.compared
        for key in sorted(base.keys() | ours.keys() | theirs.keys()):
            self._object(key, base.get(key), ours.get(key), theirs.get(key))
        self._needs()
        self._gather_parts()
        return Merged(schema_=self._schema(), conflicts=tuple(self._conflicts.values()))

    def _object(self, key: str, base: Value | None, ours: Value | None, theirs: Value | None) -> None:
        we, they = _touched(base, ours), _touched(base, theirs)
        if not they or _same(ours, theirs):
            self._keep(key, ours, Side.OURS)
        elif not we:
            self._keep(key, theirs, Side.THEIRS)
        elif ours is None or theirs is None:
            kind = ConflictKind.DROPPED_BY_US if ours is None else ConflictKind.DROPPED_BY_THEM
            self._decide(key, ours, theirs, Conflict(object=key, kind=kind))
        elif type(ours) is not type(theirs):
            self._decide(key, ours, theirs, Conflict(object=key, kind=ConflictKind.BOTH_CHANGED))
        else:
            self._attributes(key, base, ours, theirs)

    def _attributes(self, key: str, base: Value | None, ours: Value, theirs: Value) -> None:
        side = self._side(key)
        taken: dict[str, Any] = {}
        kind = ConflictKind.BOTH_CHANGED if base is not None else ConflictKind.BOTH_ADDED
        for name in changed(ours, theirs):
            before = getattr(base, name) if base is not None else {} if name == "grants" else MISSING
            found = combined(name, before, getattr(ours, name), getattr(theirs, name))
            if found is UNDECIDED and side is not None:
                found = getattr(ours if side is Side.OURS else theirs, name)
            if found is not UNDECIDED:
                taken[name] = found
                continue
            self._conflicts[key, name] = Conflict(
                object=key,
                kind=kind,
                attribute=name,
                base=_text(before),
                ours=_text(getattr(ours, name)),
                theirs=_text(getattr(theirs, name)),
            )
        self._values[key] = ours.model_copy(update=taken)
        self._from[key] = {Side.OURS, Side.THEIRS}

    def _decide(self, key: str, ours: Value | None, theirs: Value | None, conflict: Conflict) -> None:
        side = self._side(key)
        if side is None:
            self._conflicts[key, None] = conflict
        self._keep(key, theirs if side is Side.THEIRS else ours, side or Side.OURS)

    def _side(self, key: str) -> Side | None:
        return self._prefer.get(key, self._prefer.get("*"))

    def _keep(self, key: str, value: Value | None, side: Side) -> None:
        if value is not None:
            self._values[key] = value
            self._from[key] = {side}

    def _needs(self) -> None:
        """Find what stands on something that the other side has dropped."""
        settled = False
        while not settled:
            settled = True
            for key in list(self._values):
                for need in sorted(self._needed_by(key)):
                    if need in self._values or key not in self._values or not self._was_there(need):
                        continue
                    settled = not self._missing(key, need) and settled

    def _was_there(self, key: str) -> bool:
        return any(key in side.compared for side in (self._base, self._ours, self._theirs))

    def _missing(self, key: str, need: str) -> bool:
        """Settle one need if the user has said how, else report it; true when the schema has changed."""
        holder = Side.OURS if need in self._ours.compared else Side.THEIRS
        side = self._prefer.get(key, self._prefer.get(need, self._prefer.get("*")))
        if side is None:
            kind = ConflictKind.NEEDED_BY_US if holder is Side.OURS else ConflictKind.NEEDED_BY_THEM
            known = any(c.object == key or c.object == need for c in self._conflicts.values())
            if not known:
                self._conflicts[key, None] = Conflict(object=key, kind=kind, needs=need)
            return False
        if side is holder:
            schema = self._ours if holder is Side.OURS else self._theirs
            self._keep(need, schema.compared[need], holder)
        else:
            del self._values[key]
        return True

    def _needed_by(self, key: str) -> set[str]:
        found = set()
        for side in self._from.get(key, ()):
            schema = self._ours if side is Side.OURS else self._theirs
            found |= {need for need in schema.requires.get(key, ()) if need in schema.compared}
        value = self._values.get(key)
        if isinstance(value, Part):
            found |= {
                need for need in (f"table {value.table}", f"view {value.table}") if self._was_there(need)
            }
        return found

    def _gather_parts(self) -> None:
        """Say it once at the table where a side has dropped the table and the other touched its parts."""
        for (key, attribute), conflict in list(self._conflicts.items()):
            table = self._dropped_table(key)
            if table is None or conflict.kind in (ConflictKind.BOTH_CHANGED, ConflictKind.BOTH_ADDED):
                continue
            del self._conflicts[key, attribute]
            by_us = table not in self._ours.compared
            kind = ConflictKind.DROPPED_BY_US if by_us else ConflictKind.DROPPED_BY_THEM
            self._conflicts.setdefault((table, None), Conflict(object=table, kind=kind))

    def _dropped_table(self, key: str) -> str | None:
        value = self._ours.compared.get(key) or self._theirs.compared.get(key)
        if not isinstance(value, Part):
            return None
        for table in (f"table {value.table}", f"view {value.table}"):
            if table in self._base.compared and (table in self._ours.compared) != (
                table in self._theirs.compared
            ):
                return table
        return None

    def _schema(self) -> Schema:
        tables = {key for key in self._values if key.startswith(("table ", "view "))}
        derived = {
            key: value
            for schema in (self._theirs, self._ours)
            for key, value in schema.objects.items()
            if is_derived(value) and isinstance(value, Part) and f"table {value.table}" in tables
        }
        return Schema.model_construct(
            objects=cast("dict[str, Thing]", {**derived, **self._values}),
            requires=self._requires(),
            role=self._ours.role,
            major=self._ours.major,
            not_compared=tuple(dict.fromkeys((*self._ours.not_compared, *self._theirs.not_compared))),
        )

    def _requires(self) -> dict[str, tuple[str, ...]]:
        """Give each object the needs of the side that it comes from; a default goes with its column."""
        found: dict[str, tuple[str, ...]] = {}
        for side, schema in ((Side.OURS, self._ours), (Side.THEIRS, self._theirs)):
            for key, needs in schema.requires.items():
                owner = key if key in schema.objects else _owner(key, schema)
                if side in self._from.get(owner, {Side.OURS, Side.THEIRS}):
                    found[key] = tuple(dict.fromkeys((*found.get(key, ()), *needs)))
        return found


def _owner(key: str, schema: Schema) -> str:
    """Give the object that a pseudo key such as `default COLUMN` speaks of."""
    name = key.split(" ", 2)[-1] if key.startswith(("owned by ", "replica identity ")) else key
    name = name.removeprefix("default ")
    kinds = ("column", "sequence", "table")
    return next((k for k in (name, *(f"{kind} {name}" for kind in kinds)) if k in schema.objects), key)


def _touched(base: Value | None, value: Value | None) -> bool:
    return not _same(base, value)


def _same(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None:
        return one is other
    return type(one) is type(other) and not changed(one, other)


def combined(name: str, base: Any, ours: Any, theirs: Any) -> Any:
    """Combine one attribute; `UNDECIDED` where both sides want something else."""
    if ours == theirs or base == theirs:
        return ours
    if base == ours:
        return theirs
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return _dictionaries(base if isinstance(base, dict) else {}, ours, theirs)
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and name in (*LISTS, "privileges"):
        return _lists(base, ours, theirs) if isinstance(base, tuple) else UNDECIDED
    return UNDECIDED


def _dictionaries(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> Any:
    found: dict[str, Any] = {}
    for key in [*ours, *(k for k in theirs if k not in ours)]:
        before, we, they = (side.get(key, MISSING) for side in (base, ours, theirs))
        value = combined(
            "privileges",
            () if before is MISSING and isinstance(we, tuple) else before,
            () if we is MISSING and isinstance(they, tuple) else we,
            () if they is MISSING and isinstance(we, tuple) else they,
        )
        if value is UNDECIDED:
            return UNDECIDED
        if value is not MISSING and value != ():
            found[key] = value
    return found


def _lists(base: tuple[Any, ...], ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> Any:
    """Take away what either side took away, and put what they added behind what it stands behind there."""
    both = [member for member in ours if member in theirs]
    if both != [member for member in theirs if member in ours]:
        return UNDECIDED
    gone = {member for member in base if member not in theirs}
    found = [member for member in ours if member not in gone]
    for place, member in enumerate(theirs):
        if member in found or member in base:
            continue
        before = next((m for m in reversed(theirs[:place]) if m in found), None)
        found.insert(found.index(before) + 1 if before is not None else 0, member)
    return tuple(found)


def _text(value: Any) -> str | None:
    return None if value is None or value is MISSING else str(value)
