"""Recognise the plain index statements that rules propose, so that tools can write them their own way."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = r'(?:"[^"]+"|[a-z_][\w$]*)'
CREATE = re.compile(
    rf"create\s+(?P<unique>unique\s+)?index\s+(?P<concurrently>concurrently\s+)?(?P<name>{NAME})\s+on\s+"
    rf"(?:(?P<schema>{NAME})\.)?(?P<table>{NAME})\s*\((?P<columns>\s*{NAME}(?:\s*,\s*{NAME})*\s*)\)\s*;?\s*",
    re.IGNORECASE,
)
DROP = re.compile(
    rf"drop\s+index\s+(?P<concurrently>concurrently\s+)?(?:(?P<schema>{NAME})\.)?(?P<name>{NAME})\s*;?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CreateIndex:
    """A plain index on named columns."""

    name: str
    table: str
    columns: tuple[str, ...]
    schema: str
    unique: bool
    concurrently: bool


def created_index(statement: str) -> CreateIndex | None:
    """Read `create index`; `None` for one with expressions, conditions or methods."""
    match = CREATE.fullmatch(statement.strip())
    if match is None:
        return None
    columns = tuple(_bare(column.strip()) for column in match["columns"].split(","))
    return CreateIndex(
        _bare(match["name"]), _bare(match["table"]), columns, _bare(match["schema"] or ""),
        bool(match["unique"]), bool(match["concurrently"]),
    )  # fmt: skip


def dropped_index(statement: str) -> tuple[str, str, bool] | None:
    """Read `drop index`: schema, name, concurrently."""
    match = DROP.fullmatch(statement.strip())
    if match is None:
        return None
    return _bare(match["schema"] or ""), _bare(match["name"]), bool(match["concurrently"])


def _bare(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()
