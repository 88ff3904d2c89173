"""Quote names and texts for statements."""

from __future__ import annotations

import re
from typing import Final

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


def listed(names: tuple[str, ...]) -> str:
    """Join names with commas."""
    return ", ".join(names)


def set_aside(name: str) -> str:
    """Give the name under which a type waits until nothing uses it any more."""
    bare = plain(last(name)).encode()[:40].decode(errors="ignore")
    return quoted(f"{bare} before the change")
