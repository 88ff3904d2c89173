"""Say what went wrong with rows, without the row that the server shows."""

from __future__ import annotations

from typing import Final

import psycopg

from neondba.core.problem import ConflictProblem, RemoteProblem
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


def unread(what: str, error: psycopg.Error) -> RemoteProblem:
    """Say why rows could not be read or written: the server's words only where they hold no row."""
    denied = isinstance(error, psycopg.errors.InsufficientPrivilege)
    said = (error.diag.message_primary or "") if denied else f"{type(error).__name__} {error.sqlstate or ''}"
    return RemoteProblem(
        "mask-failed",
        f"{what} could not be read or copied: {said.strip()}.",
        hint="Grant the database's owner pg_read_all_data, or try again." if denied else "Try again.",
    )
