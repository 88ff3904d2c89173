"""Statements that the local Neon runs as its own superuser."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> str:
    """Give the statements of a file in this folder."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
