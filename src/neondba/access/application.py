"""Start the project's application on a branch and show whether A reaches what is B's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.access.application_document import cookies_in, document_of, place_of, places
from neondba.access.application_environment import Given
from neondba.access.application_place import Application, application_of
from neondba.access.application_process import Running, copied
from neondba.access.application_results import ApplicationProof, RouteProof
from neondba.access.application_start import Asked, Starter, python_for
from neondba.access.application_tables import Tables
from neondba.access.identity_provider import IdentityProvider, identity_provider
from neondba.access.prove_people import Arrival, People, people, without_keys
from neondba.access.prove_seed import WorldSeeder
from neondba.access.prove_world import World
from neondba.access.verdict import Guard, passes_by
from neondba.access.walk import Trial, Tried, Walker
from neondba.access.walk_http import send
from neondba.access.walk_identifiers import Identifiers
from neondba.access.walk_judge import Judge
from neondba.access.walk_openapi import Document
from neondba.access.who import Login, application_role
from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem, RemoteProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Refused, ask, connect
from neondba.postgres.roles import roles, set_password, url_of
from neondba.postgres.row_watch import RowWatch, number_apart
from neondba.postgres.shapes import Shape
from neondba.postgres.statement_watch import StatementWatch, sessions_of
from neondba.project.environment import Environment
from neondba.project.facts import Facts
from neondba.project.python import PythonFiles
from neondba.project.routes import Routes
from neondba.project.tree import FolderTree

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

_PRODUCTION: Final = re.compile(r"(?:prod(?:uction)?|live)(?:[-_/].*)?", re.IGNORECASE)
_ERROR: Final = re.compile(r"(?:^|error=)\(?[\w.]*(?:Error|Exception|Refused)\w*\)?:?.*")


@dataclass
class Proving:
    """One run: the branch, the application on it, the walk."""

    ctx: Context
    folder: Path
    direct: Secret
    session: Connection
    asked: Asked
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.facts = Facts(FolderTree(self.folder))
        self.files = self.facts.get(PythonFiles)
        self._before = set(roles(self.session))

    def proof(self, branch: str | None) -> ApplicationProof:
        """Prove."""
        began = self.ctx.clock.monotonic()
        found = self._application()
        python = python_for(self.folder, found, self.asked)
        starter = Starter(self.ctx, self.folder, self.facts.get(Environment), self.asked, found, python)
        making = Tables(starter, self.session, self.direct, branch is None, self.notes)
        with identity_provider() as provider, copied(self.folder) as copy:
            versions = making.made(copy, provider.url)
            login = application_role(self.session, self.folder, self.asked.role, self._before)
            url = self._url(login)
            with making.running(copy, url, provider.url, versions) as (running, given, tables):
                document = document_of(self.files, running.port, given, found, python, copy)
                walker, arrival = self._furnished(running, given, provider, login, tables, document)
                routes = self._judged(walker, login, running)
        return ApplicationProof(
            application=self.asked.start or found.target,
            role=login.role.name,
            role_chosen=login.because,
            passes_by=passes_by(login.role),
            signed_in=arrival.how,
            branch=branch,
            routes=tuple(routes),
            tables=tuple(sorted({t for p in walker.world.people[:2] for t in p.rows})),
            notes=tuple(self.notes),
            requests=walker.sent,
            seconds=self.ctx.clock.monotonic() - began,
        )

    def _application(self) -> Application:
        try:
            return application_of(self.folder, self.asked.application, self.files)
        except NotFoundProblem:
            if self.asked.start is None or self.asked.application is not None:
                raise
            return Application("", "the application")

    def _url(self, login: Login) -> Secret:
        if login.is_session:
            return self.direct
        password = Secret(f"{self.ctx.chance.getrandbits(128):032x}")
        try:
            set_password(self.session, login.role.name, password)
        except Refused:
            if self.asked.platform_url is not None:
                with contextlib.suppress(Problem):
                    return self.asked.platform_url(login.role.name)
            raise RemoteProblem(
                "role-out-of-reach",
                f"The branch's owner may not give {login.role.name} a password for the proof.",
                hint="Choose the role that the application logs in with: --role NAME",
            ) from None
        return url_of(self.direct, login.role.name, password)

    def _furnished(
        self,
        running: Running,
        given: Given,
        provider: IdentityProvider,
        login: Login,
        tables: dict[str, Shape],
        document: Document,
    ) -> tuple[Walker, Arrival]:
        """Bring two people in, with rows of their own."""
        number_apart(self.session, tables)
        watch = RowWatch(self.session, tables)
        world = World(tables, self.asked.owners, people(self.ctx))
        statements = StatementWatch(self.session, login.role.name)
        seeder, identifiers = WorldSeeder(watch, world, document), Identifiers(world)
        deadline = self.ctx.clock.monotonic() + self.asked.limit
        arriving = People(
            self.ctx, document, partial(send, running.port), world, watch, seeder, provider, given.signing,
            given.audiences, cookies_in(self.files), deadline, self.asked.login, self.asked.register,
        )  # fmt: skip
        self.ctx.progress("Signing two users in.")
        arrival = arriving.arrive()
        arriving.furnish(identifiers)
        walker = Walker(
            self.ctx, running.port, document, world, identifiers, watch, statements, arrival.renew, deadline
        )
        walker.settle()
        self._note(world, seeder, watch, statements)
        return walker, arrival

    def _judged(self, walker: Walker, login: Login, running: Running) -> list[RouteProof]:
        trials: list[Trial] = []
        order = walker.order()
        printed: dict[str, int] = {}
        for at, operation in enumerate(order):
            self.ctx.progress(f"Trying {operation.name}.", at / max(len(order), 1))
            printed[operation.name] = running.printed
            try:
                trials.append(walker.trial(operation))
            except TimeoutError:
                left = len(order) - at
                self.notes.append(f"Not walked, the time was up: {left} routes from {operation.name} on.")
                break
            if running.process.poll() is not None:
                raise _ended(running, operation.name)
        spoke = not walker.statements.available or any(trial.statements for trial in trials)
        if not spoke and not sessions_of(self.session, login.role.name):
            raise _elsewhere(running)
        walker.deadline = float("inf")
        shared = frozenset(name for name in walker.world.shapes if _is_named(name, self.asked.shared))
        own = {id(trial.own): printed[trial.operation.name] for trial in trials}

        def last_words(tried: Tried) -> str:
            if tried.answer.status < 500:
                return without_keys(tried.answer.text)[:160]
            said = running.lines(own.get(id(tried), running.printed))
            return next((without_keys(e[0])[:160] for line in said if (e := _ERROR.search(line))), "")

        place = places(self.facts.get(Routes))
        judge = Judge(walker.world, trials, shared, self._bound(login), walker.theirs, place, last_words)
        return judge.verdicts()

    def _bound(self, login: Login) -> Callable[[str], bool]:
        rows = ask(self.session, "protection", login.role.name)
        guards = {str(row["name"]): Guard(row, login.role) for row in rows}

        def bound(table: str) -> bool:
            guard = guards.get(table)
            return guard is not None and guard.enabled and bool(guard.policies) and guard.passed_by is None

        return bound

    def _note(self, world: World, seeder: WorldSeeder, watch: RowWatch, statements: StatementWatch) -> None:
        if world.user_table is None and not world.owners:
            self.notes.append("No table has an owner column: name it with --owner table.column.")
        self.notes += [f"No rows could be made in {one.table}: {one.reason}" for one in seeder.failed]
        self.notes += [f"Not watched, too many rows: {table}" for table in watch.unwatched]
        if not statements.available:
            self.notes.append("Statements were not seen: pg_stat_statements is not available here.")
        sockets = [r for r in self.facts.get(Routes).routes if r.method == "WEBSOCKET"]
        self.notes += [f"Not walked, a WebSocket: {r.path} ({place_of(r)})" for r in sockets]


def _elsewhere(running: Running) -> RemoteProblem:
    return RemoteProblem(
        "application-elsewhere",
        "The application sent nothing to the branch, so its database is somewhere else. It said last:\n"
        + running.last_lines(),
        hint="Let it read its address from DATABASE_URL, or name its variable in .env.example.",
    )


def _ended(running: Running, during: str) -> RemoteProblem:
    return RemoteProblem(
        "application-ended",
        f"The application ended during {during}. It said last:\n{running.last_lines()}",
        hint="Start it by hand and send that request; then repeat the proof.",
    )


def _is_named(table: str, wanted: tuple[str, ...]) -> bool:
    return table in wanted or table.rpartition(".")[2].strip('"') in wanted


def refuse_people(client: NeonClient, project: str, branch: str | None) -> None:
    """Refuse to run an application over a copy of rows that are real people's.

    Raises:
        ConflictProblem: the branch to copy is protected, or production by its name.
    """
    found = client.find_project(project)
    parent = client.find_branch(found, branch) if branch else client.default_branch(found)
    if not parent.protected and not _PRODUCTION.fullmatch(parent.name):
        return
    every = client.branches(found.id)
    others = [b.name for b in every if not b.protected and not _PRODUCTION.fullmatch(b.name)]
    kind = "protected" if parent.protected else "production by its name"
    use = f"--branch {quote(others[0])}, or " if others else ""
    raise ConflictProblem(
        "branch-holds-people",
        f"Branch {parent.name} of project {found.name} is {kind}: a copy of it holds real people's rows, and"
        " the proof lets an application act on them.",
        hint=f"Choose with neondba isolation walk: {use}--schema-only.",
    )


def prove_application(
    ctx: Context, folder: Path, direct: Secret, asked: Asked, *, branch: str | None = None
) -> ApplicationProof:
    """Show route by route whether A reaches what is B's, on a branch that is thrown away.

    Raises:
        Problem: the application does not start, or nothing of it can be walked.
    """
    with connect(direct, limit=ctx.settings.step_limit) as session:
        return Proving(ctx, folder, direct, session, asked).proof(branch)
