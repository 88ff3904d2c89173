"""Which variables lead to a branch, and what each holds for one."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, Platform, parse
from neondba.project.env_file import EnvText

POOLED: Final = ("DATABASE_URL", "POSTGRES_URL", "POSTGRES_PRISMA_URL")
DIRECT: Final = (
    "DATABASE_URL_UNPOOLED",
    "DIRECT_URL",
    "DIRECT_DATABASE_URL",
    "DATABASE_URL_DIRECT",
    "POSTGRES_URL_NON_POOLING",
)
ALWAYS: Final = ("DATABASE_URL", "DATABASE_URL_UNPOOLED")
"""What a file gets that names no database yet."""
_HOSTS: Final = ("PGHOST", "PGHOST_UNPOOLED", "POSTGRES_HOST")
_PARTS: Final = {
    "PGUSER": "role",
    "POSTGRES_USER": "role",
    "PGDATABASE": "database",
    "POSTGRES_DATABASE": "database",
    "POSTGRES_DB": "database",
    "PGPASSWORD": "password",
    "POSTGRES_PASSWORD": "password",
    "NEON_BRANCH": "branch",
    "NEON_BRANCH_ID": "branch_id",
    "NEON_PROJECT_ID": "project_id",
}
_WITH_HOST: Final = ("PGPORT", "POSTGRES_PORT", "PGOPTIONS", "PGSSLMODE", "PGCHANNELBINDING")
WHO: Final = frozenset(name for name, part in _PARTS.items() if part in ("role", "database", "password"))
"""Who logs in where, in parts."""
KNOWN: Final = frozenset({*POOLED, *DIRECT, *_HOSTS, *_PARTS, *_WITH_HOST})
_PLATFORMS_OWN: Final = frozenset(
    {"sslmode", "ssl", "channel_binding", "options", "application_name", "sslrootcert", "sslnegotiation"}
)
"""Parameters that belong to where a string leads; others are the program's and stay."""


class Leads(Enum):
    """Where a connection string leads."""

    HERE = "here"
    """To a compute of this project."""
    UNKNOWN = "unknown"
    """To a Neon endpoint that this project does not have: a branch that is gone, or another project's."""
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"
    """It is empty or no connection string."""


@dataclass(frozen=True)
class Address:
    """How a branch is reached with one role and database."""

    project_id: str
    branch: str
    branch_id: str
    role: str
    database: str
    direct: Secret
    pooled: Secret


def leads(value: Secret | None, endpoints: Collection[str]) -> Leads:
    """Say where a value leads."""
    found = read(value)
    if found is None:
        return Leads.NOWHERE
    if found.endpoint_id in endpoints:
        return Leads.HERE
    known = found.endpoint_id is not None and found.platform is not Platform.OTHER
    return Leads.UNKNOWN if known else Leads.ELSEWHERE


def read(value: Secret | None) -> ConnectionString | None:
    """Take a value apart, if it is a connection string."""
    try:
        return parse(value) if value else None
    except ArgumentProblem:
        return None


def of_parts(text: EnvText) -> Secret | None:
    """Put the parts of an address together, where a file holds a host, a role and a password."""

    def first(*names: str) -> Secret | None:
        return next((found for found in map(text.value, names) if found), None)

    def part(kind: str) -> Secret | None:
        return first(*(name for name, each in _PARTS.items() if each == kind))

    host, role, database, options = first(*_HOSTS), part("role"), part("database"), text.value("PGOPTIONS")
    if not host or not role:
        return None
    asked = (("options", options.reveal()),) if options else ()
    named = database.reveal() if database else None
    return ConnectionString(
        "postgresql", role.reveal(), part("password"), host.reveal(), None, named, asked
    ).render()


def value_of(name: str, address: Address, old: Secret | None, endpoints: Collection[str]) -> Secret:
    """Give what a variable holds for a branch, in the shape that it had."""
    if name in (*POOLED, *DIRECT):
        return _url(name, address, old, endpoints)
    if name in _PARTS:
        if _PARTS[name] == "password":
            return _password(address, old)
        return Secret(getattr(address, _PARTS[name]))
    if name in _HOSTS:
        pooled = name != "PGHOST_UNPOOLED" and "-pooler" in (old.reveal() if old else "")
        return Secret(parse(address.pooled if pooled else address.direct).host)
    direct = parse(address.direct)
    return Secret(
        {
            "PGPORT": str(direct.port or 5432),
            "POSTGRES_PORT": str(direct.port or 5432),
            "PGOPTIONS": direct.parameter("options") or "",
            "PGSSLMODE": direct.parameter("sslmode") or "require",
            "PGCHANNELBINDING": direct.parameter("channel_binding") or "prefer",
        }[name]
    )


def _password(address: Address, old: Secret | None) -> Secret:
    """Give the password, with the endpoint before it where it had one: hosts alone do not name it there."""
    direct = parse(address.direct)
    password = direct.password or Secret("")
    had = re.match(
        r"(?:endpoint|project)=[A-Za-z0-9-]*?(?P<pooler>-pooler)?[;$]", old.reveal() if old else ""
    )
    if had is None or direct.endpoint_id is None:
        return password
    return Secret(f"endpoint={direct.endpoint_id}{had['pooler'] or ''};{password.reveal()}")


def _url(name: str, address: Address, old: Secret | None, endpoints: Collection[str]) -> Secret:
    before = read(old)
    here = leads(old, endpoints) in (Leads.HERE, Leads.UNKNOWN)
    direct = name in DIRECT or (here and before is not None and not before.is_pooled)
    new = parse(address.direct if direct else address.pooled)
    if before is None:
        return new.render()
    # SQLAlchemy's asyncpg takes other parameters: turn them over in its plain form, then back.
    base, _, driver = before.scheme.partition("+")
    theirs = tuple(pair for pair in before.parameters if pair[0] not in _PLATFORMS_OWN)
    shaped = replace(new, parameters=(*new.parameters, *theirs)).with_driver(driver or None)
    shaped = replace(shaped, prefixed=shaped.prefixed or before.prefixed)
    return (shaped if driver else replace(shaped, scheme=base)).render()
