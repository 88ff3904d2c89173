"""A throw-away branch with a relay before it, for one run of a command."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.connections.environments_files import DEVELOPMENT, env_files, held
from neondba.connections.rehearse_environment import Ends, led, own_logins, refuse_overriding
from neondba.connections.rehearse_login import Certificate, Goal
from neondba.connections.rehearse_record import Record
from neondba.connections.rehearse_relay import Relay
from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.local.addresses import names_resolve
from neondba.local.environment import fill, merged, variables
from neondba.neon.connection_string import ConnectionString, Platform, parse
from neondba.neon.models import Branch, Project
from neondba.neon.throwaway import Throwaway, Wanted, throwaway_branch
from neondba.project.command import project_or_name

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

LIFETIME: Final = timedelta(hours=4)
MOST_LOGINS: Final = 4
PURPOSE: Final = "rehearse"


@dataclass(frozen=True)
class Source:
    """What is copied for every run, and how it is made ready."""

    client: NeonClient
    project: Project | None
    parent: str | None
    database: str | None
    prepare: str | None
    """A command that migrates or fills the branch first."""
    expires: str | None = None
    """Name of the branch, where its end is taken away while it is copied."""


def source_of(
    client: NeonClient, ctx: Context, parent: str | None, database: str | None, prepare: str | None
) -> tuple[Source, str, str]:
    """Say what to copy, with the names of the project and of the branch.

    Raises:
        ConflictProblem: the program would run elsewhere, whatever it is given.
        Problem: there is no such project or branch.
    """
    refuse_overriding(ctx.folder)
    project, name = project_or_name(client, ctx)
    if project is None:
        return Source(client, None, parent, database, prepare), name, parent or "a new project"
    branch = client.find_branch(project, parent) if parent else _in_use(client, project, ctx.folder)
    branch = branch or client.default_branch(project)
    expires = branch.name if branch.expires_at is not None else None
    return Source(client, project, branch.id, database, prepare, expires), name, branch.name


def _in_use(client: NeonClient, project: Project, folder: Path) -> Branch | None:
    """Give the branch that the files for development lead to, if it is one of this project."""
    wanted = {each.address.endpoint_id for each in held(env_files(folder)) if each.environment == DEVELOPMENT}
    there = [each.branch_id for each in client.endpoints(project.id) if each.id in wanted]
    return client.branch(project.id, there[0]) if there else None


@dataclass(frozen=True)
class World:
    """A branch, its relays, and what leads a program there."""

    branch: Throwaway
    endpoint_id: str
    environment: dict[str, str]
    direct: dict[str, str]
    """The same past the pooler, for migrations."""
    own: tuple[str, ...]
    record: Record
    relays: tuple[Relay, ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no output may show."""
        password = parse(self.branch.direct).password
        return (password.reveal(),) if password else ()


@contextmanager
def world(ctx: Context, source: Source, *, pooled: bool) -> Iterator[World]:
    """Give a fresh branch behind a relay; the application's own string is pooled or direct.

    Raises:
        Problem: the branch cannot be made, or the command that prepares it fails.
    """
    wanted = Wanted(parent=source.parent, lifetime=LIFETIME, hold_end=True)
    with ExitStack() as stack:
        branch = stack.enter_context(
            throwaway_branch(
                source.client,
                ctx,
                project=source.project.id if source.project else None,
                purpose=PURPOSE,
                database=source.database,
                wanted=wanted,
            )
        )
        folder = Path(tempfile.mkdtemp(prefix="neondba-relay-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        made = _relayed(ctx, source, branch, folder, stack, pooled)
        if source.prepare:
            ctx.progress(f"Preparing the branch: {source.prepare}")
            fill(source.prepare, ctx.folder, made.direct, "the branch")
            made.record.restart()
        yield made


def _relayed(
    ctx: Context, source: Source, branch: Throwaway, folder: Path, stack: ExitStack, pooled: bool
) -> World:
    from neondba.local.proxy.tls import ensure_certificates

    paths = ensure_certificates(folder)
    certificate = Certificate.of(paths.certificate, paths.key)
    logins = _accepted(branch, own_logins(ctx.folder))
    record = Record()
    relays, ends = [], []
    for text, through in ((branch.direct, False), (branch.pooled, True)):
        goal = goal_of(parse(text), logins)
        relay = Relay(goal, certificate, record, pooled=through)
        stack.callback(relay.close)
        relay.start()
        relays.append(relay)
        ends.append(_end(parse(text), relay.port))
    authority = str(paths.authority)
    past = _environment(ctx, branch, Ends(ends[0], ends[0], logins), authority)
    app = ends[1] if pooled else ends[0]
    led_there = _environment(ctx, branch, Ends(ends[0], app, logins), authority)
    endpoint = next(e for e in source.client.endpoints(branch.project_id, branch.branch_id))
    return World(branch, endpoint.id, led_there[0], past[0], led_there[1], record, tuple(relays))


def _environment(
    ctx: Context, branch: Throwaway, ends: Ends, authority: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Give a program's whole environment, and the project's own names in it."""
    usual = variables(branch, ctx)
    usual |= {
        "DATABASE_URL": ends.app.render().reveal(),
        "DATABASE_URL_UNPOOLED": ends.direct.render().reveal(),
        "PGHOST": ends.app.host,
        "PGPORT": str(ends.app.port),
        "PGSSLROOTCERT": authority,
        "NODE_EXTRA_CA_CERTS": authority,
        "PYTHONUNBUFFERED": "1",
    }
    usual.pop("PGOPTIONS", None)
    found = led(ctx.folder, ends, usual)
    whole = merged(os.environ, {name: value.reveal() for name, value in found.values.items()})
    return whole, found.own


def _accepted(branch: Throwaway, logins: Mapping[str, Secret]) -> dict[str, Secret]:
    """Give the logins that the copy knows as well: roles and their passwords are copied with a branch."""
    from neondba.postgres.connect import connect

    found = {}
    for role, password in list(logins.items())[:MOST_LOGINS]:
        with suppress(Problem), connect(branch.role_url(role, password=password)):
            found[role] = password
    return found


def goal_of(url: ConnectionString, logins: Mapping[str, Secret]) -> Goal:
    """Say how a relay reaches what a connection string names."""
    local = url.platform is Platform.LOCAL
    options = url.parameter("options") or ""
    known = {**logins, **({url.role: url.password} if url.role and url.password else {})}
    return Goal(url.host, url.port or 5432, options, known, verified=not local)


def _end(url: ConnectionString, port: int) -> ConnectionString:
    """Write the relay's address; its host begins as the endpoint's, where this machine knows such names."""
    label = url.host.partition(".")[0]
    host = f"{label}.localhost" if names_resolve() and label.startswith("ep-") else "127.0.0.1"
    kept = tuple((k, v) for k, v in url.parameters if k != "options")
    return replace(url, host=host, port=port, parameters=kept)
