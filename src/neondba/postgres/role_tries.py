"""Try what a role may do, in its own session. Nothing stays: statements are explained or rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from neondba.postgres.connect import Connection, ask, trusted
from neondba.postgres.role_profiles import Profile, Wanted
from neondba.postgres.version_tables import VERSION_TABLES

_STATEMENTS: Final = {
    "select": "explain select 1 from {0}",
    "insert": "explain insert into {0} default values",
    "update": "explain update {0} set {1} = {1}",
    "delete": "explain delete from {0}",
}
_READS: Final = frozenset({"select"})
_WRITES: Final = frozenset({"select", "insert", "update", "delete"})
EXPECTED: Final = {
    Profile.READ_ONLY: _READS,
    Profile.READ_WRITE: _WRITES,
    Profile.APPLICATION: _WRITES,
    Profile.MIGRATOR: _WRITES | {"create table"},
    Profile.AUDITOR: frozenset({"read what others do"}),
}
"""What a profile may do of all that is tried."""


@dataclass(frozen=True)
class Try:
    """One action, and what the server said."""

    action: str
    on: str
    allowed: bool
    expected: bool
    said: str


def tried(session: Connection, wanted: Wanted) -> list[Try]:
    """Try every action as the session's role."""
    expected = EXPECTED[wanted.profile] | (
        _READS if wanted.profile is Profile.AUDITOR and wanted.rows else set()
    )
    found: list[Try] = []
    table = _table(session, wanted.schemas)
    if table is not None:
        name, column = (sql.SQL(trusted(part)) for part in table)
        for action, statement in _STATEMENTS.items():
            # EXPLAIN checks the rights and carries nothing out.
            said = _said(session, sql.SQL(trusted(statement)).format(name, column))
            found.append(_try(action, table[0], said, expected))
    made = sql.Identifier(wanted.schemas[0], "neondba_try")
    said = _said(session, sql.SQL("create table {} ()").format(made))
    found.append(_try("create table", f"schema {wanted.schemas[0]}", said, expected))
    found.append(
        _try("create role", "the cluster", _said(session, sql.SQL("create role neondba_try")), expected)
    )
    said = _said(session, sql.SQL("set local role neon_superuser"))
    found.append(_try("become neon_superuser", "the cluster", said, expected))
    if wanted.profile is Profile.AUDITOR:
        allowed = ask(session, "role_sees_statistics")[0]["sees"]
        said = None if allowed else "refused"
        found.append(_try("read what others do", "pg_stat_activity", said, expected))
    return found


def _table(session: Connection, schemas: tuple[str, ...]) -> tuple[str, str] | None:
    """Give one table and a column of it, if there is any."""
    rows = ask(session, "role_try_table", list(schemas), list(VERSION_TABLES))
    return (str(rows[0]["name"]), str(rows[0]["column"])) if rows else None


def _try(action: str, on: str, refused: str | None, expected: frozenset[str] | set[str]) -> Try:
    return Try(action, on, refused is None, action in expected, refused or "allowed")


def _said(session: Connection, statement: sql.Composed | sql.SQL) -> str | None:
    """Send a statement, undo it, and give the refusal, if it was one."""
    # A profile may read only by default, which says nothing about its rights.
    session.execute("begin read write")
    try:
        session.execute(statement)
    except psycopg.Error as error:
        return str(error).strip().split("\n")[0]
    else:
        return None
    finally:
        session.execute("rollback")
