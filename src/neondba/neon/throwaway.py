"""A branch to try things on, gone afterwards whatever happens.

Three nets, one behind the other: the `finally` here (also on Ctrl-C, SIGTERM and a closed terminal),
the sweep when the next throw-away is made, which sees a killed owner by its mark, and Neon's own expiry.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote
from types import FrameType
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.marks import abandoned, forget, marked
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.neon import held_end
from neondba.neon.connection_string import parse
from neondba.neon.models import Branch, Database, Project

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

LIFETIME: Final = timedelta(hours=1)
_OURS: Final = re.compile(r"neondba-[a-z]+-[0-9a-f]{8}")


@dataclass(frozen=True)
class Throwaway:
    """A branch that nobody will miss, and how to connect to it."""

    project_id: str
    branch_id: str
    branch_name: str
    role: str
    database: str
    direct: Secret
    _client: NeonClient = field(repr=False)

    @property
    def pooled(self) -> Secret:
        """The address through the pooler."""
        return parse(self.direct).pooled().render()

    def role_url(self, role: str, *, password: Secret | None = None, pooled: bool = False) -> Secret:
        """Give the connection string of another role on this branch.

        Without a password the API is asked for it, which knows only roles made through the API.
        """
        if password is None:
            return self._client.connection_uri(
                self.project_id, self.branch_id, self.database, role, pooled=pooled
            )
        return parse(self.pooled if pooled else self.direct).with_role(role, password).render()


@dataclass(frozen=True)
class Wanted:
    """How a throw-away branch differs from the usual one."""

    name: str | None = None
    parent: str | None = None
    """Branch to copy, by name or id; the default branch if absent."""
    lsn: str | None = None
    timestamp: datetime | None = None
    """Where in the parent's history; its present if absent."""
    schema_only: bool = False
    hold_end: bool = False
    """True to take the end of a parent that expires away meanwhile; the plan has to say so."""
    keep: bool = False
    """True to leave it: it neither expires nor is removed on the way out."""
    lifetime: timedelta = LIFETIME
    signals: bool = True
    """True to have SIGTERM and SIGHUP unwind the stack meanwhile."""


USUAL: Final = Wanted()


@contextmanager
def throwaway_branch(
    client: NeonClient,
    ctx: Context,
    *,
    project: str | None,
    purpose: str,
    database: str | None = None,
    wanted: Wanted = USUAL,
) -> Iterator[Throwaway]:
    """Give a branch that is deleted on the way out.

    With a project (id or name) it is a branch of its default branch; without one, on a local Neon
    only, it is a project of its own.

    Raises:
        ArgumentProblem: no project is named and the API is not local.
        Problem: the platform refuses.
    """
    if project is None and not client.is_local:
        raise _nameless()
    name = wanted.name or f"neondba-{purpose}-{ctx.chance.getrandbits(32):08x}"
    parent = client.find_project(project) if project is not None else None
    _sweep(client, ctx, parent)
    source = client.find_branch(parent, wanted.parent) if parent and wanted.parent else None
    holding = _holding(client, ctx, parent, source, wanted) if parent and source else nullcontext()
    ctx.progress(f"Making throw-away {'branch' if parent else 'project'} {name}.")
    mark = marked(_marks(ctx), name) if wanted.name is None else nullcontext()
    with mark, unwound_by_signals() if wanted.signals else nullcontext(), holding:
        ours = True
        try:
            try:
                project_id, branch = _make(client, ctx, parent, source.id if source else None, name, wanted)
            except ConflictProblem as problem:
                # A name that somebody else has taken meanwhile: what bears it is theirs.
                ours = wanted.name is None or problem.code != "neon-conflict"
                raise
            yield reached(client, project_id, branch, database)
        finally:
            if ours and not wanted.keep:
                _remove(client, ctx, parent, name)


def _holding(
    client: NeonClient, ctx: Context, project: Project, branch: Branch, wanted: Wanted
) -> AbstractContextManager[None]:
    """Hold the end of the branch to copy, where it has one and the caller wants that.

    Raises:
        ConflictProblem: it expires, and so can have no children.
    """
    if wanted.hold_end and (branch.expires_at is not None or held_end.is_held(ctx, branch)):
        return held_end.held(client, ctx, project, branch)
    if branch.expires_at is not None:
        raise ConflictProblem(
            "branch-expires",
            f"Branch {branch.name} expires, and Neon makes no branches of one that does; this needs one.",
            hint=f"Let it stay first: neondba branch expire {quote(branch.name)} --never "
            f"--project {quote(project.name)}",
        )
    return nullcontext()


def _nameless() -> ArgumentProblem:
    return ArgumentProblem(
        "project-needed",
        "No project is named, and a throw-away project is only made on the local Neon.",
        hint="Name one with --project, or unset NEON_API_KEY to use the local Neon.",
    )


def _make(
    client: NeonClient, ctx: Context, parent: Project | None, source: str | None, name: str, wanted: Wanted
) -> tuple[str, Branch]:
    if parent is None:
        made = client.create_project(name)
        return made.project.id, made.branch
    branch = client.create_branch(
        parent.id,
        name,
        parent_id=source,
        parent_lsn=wanted.lsn,
        parent_timestamp=wanted.timestamp,
        expires_at=None if wanted.keep else ctx.clock.now() + wanted.lifetime,
        schema_only=wanted.schema_only,
    ).branch
    return parent.id, branch


def reached(client: NeonClient, project_id: str, branch: Branch, database: str | None = None) -> Throwaway:
    """Give the addresses of a branch's database for the role that owns it.

    Raises:
        NotFoundProblem: the branch has no such database, or no compute.
    """
    chosen = _database(client.databases(project_id, branch.id), branch, database)
    role = chosen.owner_name
    try:
        url = client.connection_uri(project_id, branch.id, chosen.name, role)
        return Throwaway(project_id, branch.id, branch.name, role, chosen.name, url, client)
    except NotFoundProblem:
        if any(each.branch_id == branch.id for each in client.endpoints(project_id)):
            raise
        raise NotFoundProblem(
            "compute-not-found",
            f"Branch {branch.name} has no compute, so it takes no connections.",
            hint=f"Make a branch of it with one: neondba branch create NAME --parent {quote(branch.name)}",
        ) from None


def _database(there: list[Database], branch: Branch, wanted: str | None) -> Database:
    by_name = {each.name: each for each in sorted(there, key=lambda each: each.id)}
    if wanted is not None and wanted in by_name:
        return by_name[wanted]
    if wanted is not None or not by_name:
        raise NotFoundProblem(
            "database-not-found",
            f"Branch {branch.name} has no database {wanted or 'at all'}.",
            hint=f"There are: {', '.join(by_name)}." if by_name else None,
        )
    return by_name.get("neondb") or next(iter(by_name.values()))


def _remove(client: NeonClient, ctx: Context, parent: Project | None, name: str) -> None:
    """Delete by name: an interrupted creation has told nobody its id."""
    try:
        if parent is None:
            for left in [each for each in client.projects() if each.name == name]:
                client.delete_project(left.id)
        else:
            for branch in [each for each in client.branches(parent.id) if each.name == name]:
                client.delete_branch(parent.id, branch.id)
    except BaseException as error:
        command = (
            f"neondba project delete {name}"
            if parent is None
            else f"neondba branch delete {name} --project {parent.id}"
        )
        why = error.message if isinstance(error, Problem) else f"stopped by {type(error).__name__}."
        # The listener, not ctx.progress: that raises when the user has cancelled.
        ctx.listener(
            f"Throw-away {'branch' if parent else 'project'} {name} may still be there: {why} "
            f"Remove it with: {command}",
            None,
        )
        if not isinstance(error, Problem):
            raise


def _marks(ctx: Context) -> Path:
    return ctx.settings.state_dir / "throwaways"


def _sweep(client: NeonClient, ctx: Context, parent: Project | None) -> None:
    """Remove what a killed run on this machine has left, and what any has left more than an hour ago."""
    now = ctx.clock.now()
    gone = abandoned(_marks(ctx))
    if parent is None:
        for project in client.projects():
            over = project.name in gone or project.created_at < now - LIFETIME
            if over and is_throwaway(project.name):
                _quietly(ctx, project.name, lambda project=project: client.delete_project(project.id))  # type: ignore[misc]
        return
    held_end.put_back(client, ctx, parent)
    for branch in client.branches(parent.id):
        over = (branch.expires_at is not None and branch.expires_at <= now) or branch.name in gone
        if over and is_throwaway(branch.name) and not branch.default and not branch.protected:
            _quietly(ctx, branch.name, lambda branch=branch: client.delete_branch(parent.id, branch.id))  # type: ignore[misc]


def is_throwaway(name: str) -> bool:
    """Tell whether a project or branch is one that a proof made and will remove."""
    return _OURS.fullmatch(name) is not None


def _quietly(ctx: Context, name: str, delete: Callable[[], None]) -> None:
    """A left-over that cannot be removed now must not stop today's work."""
    try:
        delete()
        forget(_marks(ctx), name)
    except Problem as problem:
        ctx.progress(f"Left-over {name} could not be removed: {problem.message}")


@contextmanager
def unwound_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, so that `finally` blocks run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    heard = [signal.SIGTERM, signal.SIGHUP]
    # Whoever started us with nohup wants SIGHUP to do nothing.
    before = {one: signal.signal(one, stop) for one in heard if signal.getsignal(one) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C and its kin wait for the block's end, so that what it makes is known."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    kin = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {
        one: signal.signal(one, lambda number, _frame: heard.append(number))
        for one in kin
        if signal.getsignal(one) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    if heard:
        signal.raise_signal(heard[0])
