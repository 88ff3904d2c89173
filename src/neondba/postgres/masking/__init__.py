"""Copy a database so that nothing personal comes along: find the columns, mask, stream."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> str:
    """Give the text of one of this folder's SQL files."""
    return (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")


@cache
def listed(name: str) -> tuple[str, ...]:
    """Give the lines of one of this folder's lists."""
    lines = (files(__package__) / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
