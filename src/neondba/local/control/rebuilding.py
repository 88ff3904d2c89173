"""Build a schema again, with nothing of it run as the superuser.

The checks of a domain and the functions of a partition key are called while they are made. Who wrote
them must gain nothing by it, so all but names, extensions and grants is made by a role of no rights
beyond those of the roles that own the schema.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.local.computes import process
from neondba.local.computes.process import Compute
from neondba.local.control import dumps
from neondba.postgres.admin import SQL, AdminSession, Identifier

FORM: Final = ("--format=custom", "--schema-only", "--no-tablespaces", "--no-subscriptions")
"""No subscription: it would take its publisher's slot from the branch that has it."""
EVERY_SERVERS: Final = "postgres"
DATABASES: Final = (
    "select datname from pg_database where datallowconn and datname <> 'template1' order by oid"
)
_ENTRY: Final = r"(?m)^\d+; \d+ \d+ (?:{}) .*$"
BASE: Final = re.compile(_ENTRY.format("DATABASE|DATABASE PROPERTIES|ACL - DATABASE"))
PLACES: Final = re.compile(_ENTRY.format("SCHEMA|EXTENSION|COMMENT - EXTENSION"))
GRANTS: Final = re.compile(_ENTRY.format("ACL|DEFAULT ACL"))
OTHERS: Final = re.compile(r"(?m)^\d+; \d+ \d+ (?!SCHEMA |EXTENSION |COMMENT - EXTENSION |DATABASE ).*$")


@dataclass(frozen=True)
class Workers:
    """Two roles that are there while a schema is made."""

    maker: str
    """Makes everything, as a member of all roles."""
    guests: str
    """All roles are its members; owners need it where grants to them are not made yet."""


def archives(compute: Compute) -> dict[str, bytes]:
    """Give the schema of each database as pg_dump keeps it."""
    with compute.admin() as session:
        names = [row[0] for row in session.execute(DATABASES).fetchall()]
    return {name: dumps.run("pg_dump", compute, *FORM, database=name) for name in names}


def rebuild(compute: Compute, found: Mapping[str, bytes]) -> None:
    """Make databases with their schemas; their roles are there.

    Raises:
        RemoteProblem: a statement failed; what was made is half of it.
    """
    with _workers(compute) as workers:
        for name, archive in found.items():
            if name != EVERY_SERVERS:
                _restore(compute, EVERY_SERVERS, archive, BASE, "--create")
            _restore(compute, name, archive, PLACES)
            with compute.admin(name) as session:
                _open(session, name, workers.guests)
            _restore(compute, name, archive, OTHERS, "--no-acl", user=workers.maker)
            _restore(compute, name, archive, GRANTS)
            with compute.admin(name) as session:
                session.execute(SQL("drop owned by {}").format(Identifier(workers.guests)))


@contextmanager
def _workers(compute: Compute) -> Iterator[Workers]:
    mark = secrets.token_hex(8)
    workers = Workers(f"neondba_maker_{mark}", f"neondba_guests_{mark}")
    maker, guests = Identifier(workers.maker), Identifier(workers.guests)
    with compute.admin() as session:
        roles = session.execute(
            "select rolname from pg_roles where not rolsuper and rolname !~ '^pg_' order by oid"
        ).fetchall()
        session.execute(SQL("create role {} login").format(maker))
        session.execute(SQL("create role {}").format(guests))
        for (name,) in roles:
            session.execute(SQL("grant {} to {}").format(Identifier(name), maker))
            session.execute(SQL("grant {} to {}").format(guests, Identifier(name)))
    yield workers
    with compute.admin() as session:
        session.execute(SQL("drop role {}, {}").format(maker, guests))


def _open(session: AdminSession, database: str, guests: str) -> None:
    """Let every role own what is made in any place."""
    guest = Identifier(guests)
    session.execute(SQL("grant create on database {} to {}").format(Identifier(database), guest))
    schemas = "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    for (name,) in session.execute(schemas).fetchall():
        session.execute(SQL("grant usage, create on schema {} to {}").format(Identifier(name), guest))
    for (name,) in session.execute("select fdwname from pg_foreign_data_wrapper").fetchall():
        query = SQL("grant usage on foreign data wrapper {} to {}")
        session.execute(query.format(Identifier(name), guest))


def _restore(
    compute: Compute,
    database: str,
    archive: bytes,
    kinds: re.Pattern[str],
    *options: str,
    user: str = process.ADMIN,
) -> None:
    """Restore the entries of these kinds."""
    listed = dumps.run("pg_restore", compute, "--list", "--create", database=database, given=archive)
    wanted = kinds.findall(listed.decode(errors="replace"))
    if not wanted:
        return
    quoted = database.replace("\\", "\\\\").replace("'", "\\'")
    with tempfile.TemporaryDirectory(prefix="neondba-", dir=process.short_folder()) as folder:
        Path(folder).chmod(0o711)
        entries = Path(folder) / "entries"
        entries.write_text("\n".join(wanted) + "\n")
        entries.chmod(0o644)
        options += (f"--use-list={entries}", f"--dbname=dbname='{quoted}'", "--exit-on-error")
        dumps.run("pg_restore", compute, *options, database=database, given=archive, user=user)
