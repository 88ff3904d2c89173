"""The SQL this program sends, one statement per file.

Each file's first line says which Postgres versions and privileges it needs.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def query(name: str) -> str:
    """Give the text of a query by the name of its file."""
    return (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")


def names() -> list[str]:
    """Name all queries."""
    return sorted(
        f.name.removesuffix(".sql") for f in files(__package__).iterdir() if f.name.endswith(".sql")
    )
