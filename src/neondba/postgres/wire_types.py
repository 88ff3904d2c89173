"""PostgreSQL's types by their numbers, as far as a text answer needs them."""

from __future__ import annotations

from functools import cache
from typing import Final

BOOL: Final = 16
INTEGERS: Final = frozenset({21, 23})
FLOATS: Final = frozenset({700, 701})
JSONS: Final = frozenset({114, 3802})


@cache
def elements() -> dict[int, int]:
    """Give the element type of every built-in array type."""
    from psycopg.postgres import types

    return {known.array_oid: known.oid for known in types if known.array_oid}
