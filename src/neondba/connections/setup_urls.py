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
        # With one variable for both, the program's driver is the more exacting reader.
        shared = variable.use is Use.POOLED and app.has("@prisma/adapter-pg")
        return "node-postgres" if shared else "prisma"
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
    return "unknown"


def _of_python(app: App, variable: Variable) -> str:
    said = variable.scheme.partition("+")[2] or app.handling.turned_to
    if said in ("asyncpg", "psycopg", "psycopg2"):
        return "psycopg2" if said == "psycopg2" else f"sqlalchemy+{said}"
    old = app.has("psycopg2", "psycopg2-binary") and not app.has("psycopg", "psycopg-binary")
    if app.has("django") or not _has_orm(app):
        only_async = app.has("asyncpg") and not app.has("psycopg", "psycopg2", "psycopg2-binary")
        return "asyncpg" if only_async else "psycopg2" if old else "psycopg"
    asynchronous = "create_async_engine" in app.engines and "create_engine" not in app.engines
    asynchronous = asynchronous or "ASYNC" in variable.name
    if app.has("asyncpg") and (asynchronous or not app.has("psycopg", "psycopg2", "psycopg2-binary")):
        return "sqlalchemy+asyncpg"
    return "psycopg2" if old else "sqlalchemy+psycopg"


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
    whole = replace(made, parameters=(*made.parameters, *kept))
    return whole.render()


def _for(
    client: str, app: App, variable: Variable, url: ConnectionString, authority: Path | None
) -> ConnectionString:
    if client in ("serverless", "unknown"):
        return url
    made = written(_BY_NAME[client], url)
    if client == "node-postgres" and authority is not None and url.platform is Platform.LOCAL:
        # Nobody trusts the local authority yet, and this driver takes `require` for `verify-full`.
        return _by_address(replace(made, parameters=(*made.parameters, ("sslrootcert", str(authority)))))
    if app.language != "python":
        return made
    return _python(client, app, variable, made, url)


def _by_address(url: ConnectionString) -> ConnectionString:
    """Name this machine by its address: Node takes no certificate for `*.localhost`."""
    if not url.host.endswith(".localhost"):
        return url
    asked = ("options", f"endpoint={url.host.partition('.')[0]}")
    return replace(url, host="127.0.0.1", parameters=(asked, *_without(url, "options").parameters))


def _python(
    client: str, app: App, variable: Variable, made: ConnectionString, url: ConnectionString
) -> ConnectionString:
    """Write what Python code turns into the form that its driver takes."""
    how = app.handling
    if client == "sqlalchemy+asyncpg" or how.no_percent:
        asked = tuple(pair for pair in url.parameters if pair[0] == "options")
        made = replace(made, parameters=(*_without(made, "options").parameters, *asked), prefixed=True)
    if client == "sqlalchemy+asyncpg" and how.unturned:
        # The driver of the migrations does not know `ssl`; both ask for TLS first by themselves.
        made = _without(made, "ssl")
    elif client == "sqlalchemy+asyncpg" and how.strips_sslmode:
        made = replace(
            made, parameters=tuple(("sslmode" if k == "ssl" else k, v) for k, v in made.parameters)
        )
    if how.turned_to and variable.scheme.partition("+")[2] == "":
        made = replace(made, scheme="postgresql")
    elif client == "psycopg2" and _has_orm(app) and not how.plain_is_psycopg2:
        # SQLAlchemy 2.1 takes psycopg 3 for a plain address.
        made = replace(made, scheme="postgresql+psycopg2")
    return made


def _has_orm(app: App) -> bool:
    made = bool(app.engines & {"create_engine", "create_async_engine", "engine_from_config"})
    return made or app.has("sqlalchemy", "sqlmodel", "flask-sqlalchemy")


def _without(url: ConnectionString, name: str) -> ConnectionString:
    return replace(url, parameters=tuple(p for p in url.parameters if p[0] != name))


def _part(variable: Variable, reach: Reach) -> Secret:
    url = reach.direct if variable.use is Use.DIRECT_HOST else reach.pooled
    password = url.password.reveal() if url.password else ""
    if url.parameter("options") and url.endpoint_id:
        # A host without a name of its own does not tell which endpoint is meant.
        label = url.endpoint_id + (POOLER if url.is_pooled else "")
        password = f"endpoint={label};{password}"
    values = {
        Use.HOST: url.host,
        Use.DIRECT_HOST: url.host,
        Use.PORT: str(url.port or 5432),
        Use.USER: url.role or "",
        Use.PASSWORD: password,
        Use.DATABASE: url.database or "",
        Use.SSLMODE: "require",
        Use.CHANNEL_BINDING: "prefer" if url.parameter("options") else "require",
    }
    return Secret(values[variable.use])


def read(text: Secret | None) -> ConnectionString | None:
    """Take a value apart, if it is a connection string."""
    from neondba.core.problem import ArgumentProblem

    try:
        return parse(text) if text else None
    except ArgumentProblem:
        return None


def plain(url: ConnectionString) -> ConnectionString:
    """Give the form that libpq takes."""
    return url.with_driver(None)


def endpoint_of(url: ConnectionString | None) -> str | None:
    """Give the id of the endpoint that an address leads to."""
    return (url.endpoint_id or "").removesuffix(POOLER) or None if url else None
