"""What each object needs, from the server's own record of dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from neondba.postgres.connect import Row
from neondba.postgres.ddl.values import Part, Value

Address = tuple[int, int, int]
"""Catalog, row and column: how Postgres names anything."""
DEEPEST: Final = 4
"""An address is at most so many steps from what it is part of."""


def requirements(
    edges: list[Row], keys: Mapping[Address, str], objects: Mapping[str, Value]
) -> dict[str, tuple[str, ...]]:
    """Give the keys that each key needs.

    Args:
        edges: Rows of `pg_depend`.
        keys: The key of each object's address.
        objects: The objects by key.
    """
    places = _Places(edges, keys)
    needed: dict[str, set[str]] = {}
    for edge in edges:
        source, target = places.key_of(_from(edge)), places.key_of(_to(edge))
        if source is None or target is None or source == target:
            continue
        if edge["type"] == "a" and source.startswith("sequence ") and target.startswith("column "):
            tie = source.replace("sequence ", "owned by ", 1)
            needed.setdefault(tie, set()).update((source, target))
        else:
            needed.setdefault(source, set()).add(target)
    for value in objects.values():
        if isinstance(value, Part):
            needed.setdefault(value.key, set()).update(_holders(value, objects))
    return {key: tuple(sorted(targets)) for key, targets in sorted(needed.items())}


class _Places:
    """Finds the object that an address belongs to: an array's type to its elements', and so on."""

    def __init__(self, edges: list[Row], keys: Mapping[Address, str]) -> None:
        self._keys = keys
        self._wholes: dict[Address, list[Address]] = {}
        for edge in edges:
            if edge["type"] in ("i", "a", "e"):
                self._wholes.setdefault(_from(edge), []).append(_to(edge))
        for wholes in self._wholes.values():
            wholes.sort()

    def key_of(self, address: Address, depth: int = 0) -> str | None:
        for known in (address, (*address[:2], 0)):
            if known in self._keys:
                return self._keys[known]
            if depth < DEEPEST:
                found = (self.key_of(whole, depth + 1) for whole in self._wholes.get(known, []))
                if key := next((each for each in found if each is not None), None):
                    return key
        return None


def _from(edge: Row) -> Address:
    return edge["classid"], edge["objid"], edge["objsubid"]


def _to(edge: Row) -> Address:
    return edge["refclassid"], edge["refobjid"], edge["refobjsubid"]


def _holders(part: Part, objects: Mapping[str, Value]) -> Iterator[str]:
    return (key for key in (f"table {part.table}", f"view {part.table}") if key in objects)
