"""Quote names and texts for statements."""

from __future__ import annotations

import re
from typing import Final

RESERVED: Final = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_catalog current_date current_role
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect
    into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
    offset on only or order outer overlaps placing primary references returning right select session_user
    similar some symmetric system_user table tablesample then to trailing true union unique user using
    variadic verbose when where window with
    """.split()  # noqa: SIM905 - a hundred quotes would hide the words
)
"""What PostgreSQL 18 takes for no name of a table, column or role without quotes (pg_get_keywords: R, T)."""
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_$]*")
_PART: Final = re.compile(r'"(?:[^"]|"")*"|[^".(]+')


def namespace(name: str) -> str:
    """Give the schema of a quoted qualified name."""
    found = _PART.match(name)
    return found[0] if found else ""


def last(name: str) -> str:
    """Give the last part of a quoted qualified name without arguments."""
    parts: list[str] = _PART.findall(name)
    return parts[-1]


def literal(text: str) -> str:
    """Write a text as a string constant."""
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


def plain(name: str) -> str:
    """Take the quotes off a single name."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def quoted(name: str) -> str:
    """Put a single name into quotes."""
    return '"' + name.replace('"', '""') + '"'


def quote_ident(name: str) -> str:
    """Put a single name into quotes where it needs them."""
    return name if _PLAIN.fullmatch(name) and name not in RESERVED else quoted(name)


def listed(names: tuple[str, ...]) -> str:
    """Join names with commas."""
    return ", ".join(names)


def set_aside(name: str) -> str:
    """Give the name under which a type waits until nothing uses it any more."""
    bare = plain(last(name)).encode()[:40].decode(errors="ignore")
    return quoted(f"{bare} before the change")
