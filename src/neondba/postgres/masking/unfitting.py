"""Say that masked rows do not fit a constraint, without the row that the server shows."""

from __future__ import annotations

from typing import Final

import psycopg

from neondba.core.problem import ConflictProblem
from neondba.postgres.masking.rules import line

VALUE: Final = '{ value = "…" }'


def unfitting(table: str, error: psycopg.Error) -> ConflictProblem:
    """Name the constraint that rows of a table do not fit."""
    name = error.diag.constraint_name or error.diag.column_name or "a constraint"
    return ConflictProblem(
        "mask-breaks-constraint",
        f"Masked rows of {table} do not fit {name}.",
        hint=f"Give its column another mask, or a value: {line(table + '.COLUMN', VALUE)}",
        table=table,
        constraint=name,
    )
