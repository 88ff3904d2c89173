"""Roles: what they are allowed, and acting as one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

from psycopg import sql
from pydantic import BaseModel, ConfigDict

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Refused, ask, trusted

_MISSING = re.compile(r'role "([^"]+)" does not exist')


class Role(BaseModel):
    """A role and what it may pass by."""

    model_config = ConfigDict(frozen=True)

    name: str
    superuser: bool
    bypasses: bool
    """BYPASSRLS: row-level security does not exist for this role."""
    can_login: bool
    made_later: bool
    """False for the role the cluster was made with."""


def roles(session: Connection) -> dict[str, Role]:
    """Read all roles but Postgres's own."""
    return {str(row["name"]): Role.model_validate(row) for row in ask(session, "roles")}


def missing_role(said: str) -> str | None:
    """Give the name of the role that an error misses."""
    match = _MISSING.search(said)
    return match[1] if match else None


def create_plain_role(session: Connection, name: str, password: Secret) -> bool:
    """Create a role that may log in and nothing else; false when the server refuses."""
    statement = sql.SQL("create role {} login nosuperuser nobypassrls nocreatedb nocreaterole password {}")
    try:
        session.execute(statement.format(sql.Identifier(name), sql.Literal(password.reveal())))
    except Refused:
        return False
    return True


def set_password(session: Connection, name: str, password: Secret) -> None:
    """Give a role a new password."""
    session.execute(
        sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(password.reveal()))
    )


def grant_like(
    session: Connection, role: str, tables: dict[str, Iterable[str]], parents: Iterable[str]
) -> None:
    """Give a role privileges on tables and what they need, and other roles."""
    to = sql.Identifier(role)
    schemas = session.execute(
        "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    ).fetchall()
    for row in schemas:
        schema = sql.Identifier(str(row["nspname"]))
        session.execute(sql.SQL("grant usage on schema {} to {}").format(schema, to))
        session.execute(sql.SQL("grant usage on all sequences in schema {} to {}").format(schema, to))
    for table, privileges in tables.items():
        listed = ", ".join(sorted(privileges))
        if listed:
            # Table names come quoted from Postgres, privileges from our own list.
            session.execute(
                sql.SQL("grant {} on {} to {}").format(sql.SQL(trusted(listed)), sql.SQL(trusted(table)), to)
            )
    for parent in parents:
        session.execute(sql.SQL("grant {} to {}").format(sql.Identifier(parent), to))


def act_as(owner: Connection, session: Connection, role: str) -> None:
    """Let a session act as a role that cannot log in; the owner allows it first."""
    # A superuser needs no grant; anyone else hears of a missing one from `set role`.
    with contextlib.suppress(Refused):
        owner.execute(sql.SQL("grant {} to current_user with set true").format(sql.Identifier(role)))
    session.execute(sql.SQL("set role {}").format(sql.Identifier(role)))


def url_of(url: Secret, role: str, password: Secret) -> Secret:
    """Give the same connection string for another role."""
    split = urlsplit(url.reveal())
    where = split.netloc.rpartition("@")[2]
    who = f"{quote(role, safe='')}:{quote(password.reveal(), safe='')}"
    return Secret(urlunsplit(split._replace(netloc=f"{who}@{where}")))
