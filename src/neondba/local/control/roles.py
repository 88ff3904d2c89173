"""Make a branch's roles and databases what the API was told.

Every step may be repeated: after a crash it is.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from neondba.local import sql
from neondba.local.computes.process import Compute
from neondba.local.ids import scram_verifier
from neondba.local.state.tables import RoleRow
from neondba.local.storage.template import DATABASE, ROLE
from neondba.postgres.admin import SQL, AdminSession, Identifier, Literal

SEALED: Final = "SCRAM-SHA-256$"
"""How a verifier begins: all that is kept where a project stores no passwords."""


def apply(
    compute: Compute, wanted: Mapping[str, Any], roles: Mapping[str, RoleRow], owners: Mapping[str, str]
) -> None:
    """Carry out what an operation's arguments ask for, in an order that works."""
    with compute.admin() as connection:
        _rename(connection, "role", ROLE, wanted.get("first_role"))
        _rename(connection, "database", DATABASE, wanted.get("first_database"))
        for name in [*wanted.get("new_roles", []), *wanted.get("passwords", [])]:
            if name in roles:
                _role(connection, roles[name])
        for name in wanted.get("disconnect", []):
            _disconnect(connection, "usename", name)
        for old, new in wanted.get("rename_databases", []):
            _disconnect(connection, "datname", old)
            _rename(connection, "database", old, new)
        for name in wanted.get("drop_databases", []):
            # neondba: ignore[NDB616] the API's deleteProjectBranchDatabase, on a branch of this machine
            connection.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))
        for name in [*wanted.get("databases", []), *wanted.get("owners", [])]:
            if name in owners:
                _database(compute, connection, name, owners[name])
        for name in wanted.get("drop_roles", []):
            _drop_role(compute, connection, name)


def verifier_of(password: str) -> str:
    """Give what PostgreSQL stores; a project that stores no passwords has nothing else of them."""
    return password if password.startswith(SEALED) else scram_verifier(password)


def is_current(compute: Compute, role: str, password: str) -> bool:
    """Tell whether a password is still the role's: SQL may have set another."""
    stored = verifier(compute, role)
    if stored is None or not stored.startswith(SEALED):
        return False
    salt = b64decode(stored.removeprefix(SEALED).partition(":")[2].partition("$")[0])
    return scram_verifier(password, salt) == stored


def verifier(compute: Compute, role: str) -> str | None:
    """Read what PostgreSQL itself knows of a role's password: SQL may have changed it."""
    with compute.admin() as connection:
        row = connection.execute(
            "select rolpassword from pg_authid where rolname = %s and rolcanlogin and not rolsuper"
            " and (rolvaliduntil is null or rolvaliduntil > now())",
            [role],
        ).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def _exists(connection: AdminSession, kind: str, name: str) -> bool:
    table, column = ("pg_roles", "rolname") if kind == "role" else ("pg_database", "datname")
    query = SQL("select 1 from {} where {} = %s").format(Identifier(table), Identifier(column))
    return connection.execute(query, [name]).fetchone() is not None


def _rename(connection: AdminSession, kind: str, old: str, new: str | None) -> None:
    if new is None or new == old or not _exists(connection, kind, old):
        return
    query = SQL("alter {} {} rename to {}").format(SQL(kind), Identifier(old), Identifier(new))
    connection.execute(query)


def _disconnect(connection: AdminSession, column: str, name: str) -> None:
    query = SQL("select pg_terminate_backend(pid) from pg_stat_activity where {} = %s").format(
        Identifier(column)
    )
    connection.execute(query, [name])


def _role(connection: AdminSession, role: RoleRow) -> None:
    if not _exists(connection, "role", role.name):
        query = SQL(
            "create role {} {} inherit createrole createdb bypassrls replication in role neon_superuser"
        ).format(Identifier(role.name), SQL("nologin" if role.no_login else "login"))
        connection.execute(query)
    if not role.password:
        # Made by SQL: only PostgreSQL knows its password.
        return
    password = Literal(verifier_of(role.password))
    connection.execute(SQL("alter role {} password {}").format(Identifier(role.name), password))


def _database(compute: Compute, connection: AdminSession, name: str, owner: str) -> None:
    if _exists(connection, "database", name):
        connection.execute(SQL("alter database {} owner to {}").format(Identifier(name), Identifier(owner)))
    else:
        connection.execute(SQL("create database {} owner {}").format(Identifier(name), Identifier(owner)))
    with compute.admin(name) as inside:
        inside.execute(sql.text("database"))
        inside.execute(SQL("alter schema public owner to {}").format(Identifier(owner)))


def _drop_role(compute: Compute, connection: AdminSession, name: str) -> None:
    """Hand the role's things to each database's owner, then drop it."""
    if not _exists(connection, "role", name):
        return
    found = connection.execute(
        "select datname, pg_get_userbyid(datdba) from pg_database where datallowconn"
    ).fetchall()
    for database, owner in found:
        heir = owner if owner != name else "neon_superuser"
        with compute.admin(database) as inside:
            inside.execute(SQL("reassign owned by {} to {}").format(Identifier(name), Identifier(heir)))
            inside.execute(SQL("drop owned by {}").format(Identifier(name)))
    connection.execute(SQL("drop role {}").format(Identifier(name)))
