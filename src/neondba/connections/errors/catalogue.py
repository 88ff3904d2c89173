"""All known errors."""

from __future__ import annotations

import re
from functools import cache

from neondba.connections.errors import (
    go,
    identity,
    lifetime,
    limits,
    node,
    pooling,
    prisma,
    python,
    routing,
    tls,
)
from neondba.connections.errors.entry import Entry

_THEMES = (routing, tls, identity, lifetime, limits, pooling, python, node, prisma, go)


@cache
def entries() -> tuple[Entry, ...]:
    """Give every known error, theme by theme."""
    return tuple(entry for theme in _THEMES for entry in theme.ENTRIES)


@cache
def signs(entry: Entry, wrapped: bool = False) -> tuple[re.Pattern[str], ...]:
    """Compile the signs of an error; for a text that was wrapped at a width, each blank may be lost."""
    texts = (sign.replace(" ", " ?") if wrapped else sign for sign in entry.signs)
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)
