"""What each variable of a program holds for an environment, in the form that its driver takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neondba.connections.drivers import DRIVERS, written
from neondba.core.secret import Secret
from neondba.neon.connection_string import POOLER, ConnectionString, Platform, parse
from neondba.project.stack import App
from neondba.project.stack_variables import Use, Variable

_BY_NAME: Final = {driver.name: driver for driver in DRIVERS}
_PREFIX: Final = re.compile(
    r"(?:endpoint|project)=(?P<endpoint>[A-Za-z0-9-]+)[;$](?P<password>.*)", re.DOTALL
)
_PLATFORMS_OWN: Final = frozenset(
    {"sslmode", "ssl", "channel_binding", "options", "application_name", "sslrootcert", "sslnegotiation"}
)
"""Parameters that belong to where an address leads; others are the program's and stay."""


@dataclass(frozen=True)
class Reach:
    """How one role reaches a branch."""

    pooled: ConnectionString
    direct: ConnectionString
    authority: Path | None = None
    """Certificate of the local Neon's authority; nothing for the cloud."""


def client_of(app: App, variable: Variable) -> str:
    """Say which driver reads a variable."""
    if variable.path.endswith(".prisma") or re.search(r"prisma\.config\.[cm]?[jt]s$", variable.path):
        return "prisma"
    if app.language == "go":
        return "lib/pq" if app.has("github.com/lib/pq") else "pgx"
    if app.language == "node":
        return _of_node(app)
    return _of_python(app, variable)


def _of_node(app: App) -> str:
    if app.is_prisma and not app.has("@prisma/adapter-pg", "@prisma/adapter-neon"):
        return "prisma"
    if app.has("pg", "@prisma/adapter-pg"):
        return "node-postgres"
    if app.has("postgres"):
        return "postgres.js"
    if app.has("@neondatabase/serverless", "@vercel/postgres", "@prisma/adapter-neon"):
        return "serverless"
    return "node-postgres"


def _of_python(app: App, variable: Variable) -> str:
    said = variable.scheme.partition("+")[2]
    if said in ("asyncpg", "psycopg", "psycopg2"):
        return "psycopg2" if said == "psycopg2" else f"sqlalchemy+{said}"
    orm = bool(app.engines & {"create_engine", "create_async_engine", "engine_from_config"})
    orm = orm or app.has("sqlalchemy", "sqlmodel", "flask-sqlalchemy")
    if app.has("django") or not orm:
        if app.has("asyncpg") and not app.has("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary"):
            return "asyncpg"
        return "psycopg2" if app.has("psycopg2", "psycopg2-binary") and not app.has("psycopg") else "psycopg"
    wants_async = "create_async_engine" in app.engines and "create_engine" not in app.engines
    wants_async = wants_async or (
        "create_async_engine" in app.engines and "SYNC" not in variable.name.replace("ASYNC", "")
    )
    if (wants_async or "ASYNC" in variable.name) and app.has("asyncpg"):
        return "sqlalchemy+asyncpg"
    if app.has("psycopg2", "psycopg2-binary") and not app.has("psycopg"):
        return "psycopg2"
    return "sqlalchemy+psycopg"


def value(app: App, variable: Variable, reach: Reach, old: Secret | None = None) -> Secret:
    """Give what a variable holds; parameters that the program had in its address stay."""
    if not variable.use.is_url:
        return _part(variable, reach)
    url = reach.direct if variable.use is Use.DIRECT else reach.pooled
    client = client_of(app, variable)
    made = _for(client, app, variable, url, reach.authority)
    before = read(old)
    theirs = before.parameters if before else ()
    taken = {name for name, _ in made.parameters}
    kept = tuple(p for p in theirs if p[0] not in _PLATFORMS_OWN and p[0] not in taken)
    return replace(made, parameters=(*made.parameters, *kept)).render()


def _for(
    client: str, app: App, variable: Variable, url: ConnectionString, authority: Path | None
) -> ConnectionString:
    if client == "postgres.js":
        return _without(url, "channel_binding")
    made = written(_BY_NAME[client], url)
    if client == "node-postgres" and authority is not None and url.platform is Platform.LOCAL:
        # Nobody trusts the local authority yet, and this driver takes `require` for `verify-full`.
        made = replace(made, parameters=(*made.parameters, ("sslrootcert", str(authority))))
    if client == "serverless":
        made = url
    if client == "sqlalchemy+asyncpg":
        made = prefixed(made, url) if url.parameter("options") else made
        if "replace" in ("replace" if app.rewrites else ""):
            made = replace(made, scheme="postgresql")
            if app.strips:
                made = replace(
                    made, parameters=tuple(("sslmode" if k == "ssl" else k, v) for k, v in made.parameters)
                )
    elif app.rewrites or (client == "sqlalchemy+psycopg" and variable.scheme in ("postgres", "postgresql")):
        made = replace(made, scheme="postgresql") if app.rewrites else made
    return made


def prefixed(made: ConnectionString, url: ConnectionString) -> ConnectionString:
    """Name the endpoint before the password: for a client that can name it nowhere else."""
    asked = re.search(r"(?:endpoint|project)=(\S+)", url.parameter("options") or "")
    if asked is None or url.password is None:
        return made
    password = Secret(f"endpoint={asked[1]};{url.password.reveal()}")
    return replace(_without(made, "options"), password=password)


def _without(url: ConnectionString, name: str) -> ConnectionString:
    return replace(url, parameters=tuple(p for p in url.parameters if p[0] != name))


def _part(variable: Variable, reach: Reach) -> Secret:
    direct = variable.use is Use.DIRECT_HOST
    url = reach.direct if direct else reach.pooled
    named = prefixed(url, url)
    values = {
        Use.HOST: named.host,
        Use.DIRECT_HOST: named.host,
        Use.PORT: str(named.port or 5432),
        Use.USER: named.role or "",
        Use.PASSWORD: named.password.reveal() if named.password else "",
        Use.DATABASE: named.database or "",
        Use.SSLMODE: "require",
    }
    return Secret(values[variable.use])


def read(text: Secret | None) -> ConnectionString | None:
    """Take a value apart, if it is a connection string; the endpoint before a password goes to `options`."""
    from neondba.core.problem import ArgumentProblem

    try:
        found = parse(text) if text else None
    except ArgumentProblem:
        return None
    named = _PREFIX.fullmatch(found.password.reveal()) if found and found.password else None
    if found is None or named is None:
        return found
    options = ("options", f"endpoint={named['endpoint']}")
    return replace(
        _without(found, "options"),
        password=Secret(named["password"]),
        parameters=(options, *_without(found, "options").parameters),
    )


def plain(url: ConnectionString) -> ConnectionString:
    """Give the form that libpq takes."""
    return url.with_driver(None)


def endpoint_of(url: ConnectionString | None) -> str | None:
    """Give the id of the endpoint that an address leads to."""
    return (url.endpoint_id or "").removesuffix(POOLER) or None if url else None
