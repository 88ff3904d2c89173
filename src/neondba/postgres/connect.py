"""Open a connection, or say in one sentence why it cannot be opened."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row, tuple_row

from neondba.core.problem import CredentialsProblem, NotFoundProblem, Problem, RemoteProblem
from neondba.core.secret import MASK, Secret
from neondba.postgres.queries import query

Row = dict[str, Any]
Connection = psycopg.Connection[Row]
Refused = psycopg.Error
"""What a session raises when the server or the network says no."""

_UNKNOWN_HOST = ("could not translate host name", "failed to resolve", "endpoint not found")
PATIENCE = 30
"""Seconds to wait for a connection: a compute may have to wake first."""


def connect(url: Secret, *, limit: float | None = None, autocommit: bool = True) -> Connection:
    """Open a session; statements that run longer than the limit are cancelled.

    Raises:
        CredentialsProblem: the role or password is not accepted.
        NotFoundProblem: the host or the database does not exist.
        RemoteProblem: the server does not answer.
    """
    try:
        session: Connection = psycopg.connect(
            url.reveal(),
            autocommit=True,
            application_name="neondba",
            connect_timeout=PATIENCE,
            row_factory=dict_row,
        )
    except psycopg.Error as error:
        raise explained(error, url) from None
    if limit is not None:
        # Not a start-up option: poolers refuse those.
        limited(session, "statement_timeout", limit)
    session.autocommit = autocommit
    return session


def limited(session: Connection, setting: str, seconds: float) -> None:
    """Set a time limit for the rest of a session: a direct one, which is ours alone."""
    session.execute("select set_config(%s, %s, false)", [setting, f"{max(1, int(seconds * 1000))}ms"])


def ask(session: Connection, name: str, *parameters: object) -> list[Row]:
    """Send one of the stored queries and give its rows."""
    with psycopg.RawCursor(session, row_factory=dict_row) as cursor:
        return cursor.execute(trusted(query(name)), parameters or None).fetchall()


def rows_of(session: Connection, text: str) -> list[tuple[Any, ...]]:
    """Send a text of our own or of a migration; give its rows as tuples, none where it has none."""
    with session.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(trusted(text))
        return cursor.fetchall() if cursor.description else []


def literal(value: str) -> str:
    """Write a text as a constant of SQL."""
    return str(sql.Literal(value).as_string())


def trusted(text: str) -> LiteralString:
    """Mark SQL that we composed from our own text and quoted names."""
    return text


def explained(error: psycopg.Error, url: Secret) -> Problem:
    """Turn a refused connection into a Problem without the password in it."""
    try:
        parts = conninfo_to_dict(url.reveal())
    except psycopg.Error:
        return RemoteProblem(
            "connection-string-invalid",
            "The connection string cannot be read.",
            hint="Write it as postgresql://ROLE:PASSWORD@HOST/DATABASE?sslmode=require.",
        )
    said = masked(str(error), str(parts.get("password") or ""))
    return _refusal(
        {
            "host": str(parts.get("host") or "?"),
            "role": str(parts.get("user") or "?"),
            "database": str(parts.get("dbname") or "?"),
            "said": said,
        }
    )


def _refusal(facts: dict[str, str]) -> Problem:
    host, role, said = facts["host"], facts["role"], facts["said"].lower()
    if "password authentication failed" in said or "no password supplied" in said:
        return CredentialsProblem(
            "password-refused",
            f"{host} does not accept the password of role {role}.",
            hint="Look up the connection string again, or reset the role's password.",
            **facts,
        )
    if "does not exist" in said:
        of_role = said.rstrip().endswith(f'role "{role.lower()}" does not exist')
        missing = f"Role {role}" if of_role else f"Database {facts['database']}"
        return NotFoundProblem(
            "database-not-found",
            f"{missing} does not exist on {host}.",
            hint="List what is there: neondba branch list shows the branches.",
            **facts,
        )
    if any(text in said for text in _UNKNOWN_HOST):
        return NotFoundProblem(
            "host-not-found",
            f"The host {host} is not known.",
            hint="Copy the host from the project's connection details.",
            **facts,
        )
    return RemoteProblem(
        "connection-failed",
        f"{host} did not open a session for role {role} on {facts['database']}: {_last_line(facts['said'])}",
        hint="Check that the server runs and that this machine may reach it, then try again.",
        **facts,
    )


def masked(text: str, *secrets: str) -> str:
    """Replace each secret in a text."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    return text


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given."
