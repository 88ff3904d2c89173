"""Run one program with a branch in its environment, and hand on what becomes of it."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from neondba.branches import child
from neondba.branches.choose import refuse_if_taken
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem, Problem
from neondba.core.secret import MASK
from neondba.local.environment import merged, variables
from neondba.project.command import program, project_or_name, shown

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project
    from neondba.neon.throwaway import Throwaway

LIFETIME: Final = timedelta(hours=12)
"""What a killed run leaves is deleted after this long; a running one moves it on."""
CAPTURED: Final = 64 * 1024
"""Bytes kept of the end of each captured stream."""

__all__ = [
    "Asked",
    "RunResult",
    "alone",
    "carried_out",
    "first_project",
    "program",
    "project_or_name",
    "shown",
]


class RunResult(BaseModel):
    """What became of a command, and where it ran."""

    command: tuple[str, ...]
    status: int
    """Its exit status; 128 and the number for a signal that ended it."""
    project: str
    branch: str
    kept: bool
    """True when the branch is still there."""
    stdout: str | None = None
    """The end of what it printed, where it had no terminal of the user's."""
    stderr: str | None = None
    next: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """Give the command's own status to whoever started us."""
        return self.status

    def as_text(self, width: int) -> str:  # noqa: ARG002 - a program's output is not wrapped
        """Show nothing beside what the command printed itself."""
        return "".join([self.stdout or "", self.stderr or ""]).rstrip("\n")


@dataclass(frozen=True)
class Asked:
    """Where a command is to run."""

    branch: bool
    """True for a fresh branch, false for the parent itself."""
    parent: str | None
    name: str | None
    database: str | None
    schema_only: bool
    keep: bool


def first_project(client: NeonClient, ctx: Context, name: str) -> Project:
    """Create the first project; two that come at once get the same."""
    with alone(ctx, "first-project"):
        same = [each for each in client.projects() if each.name == name]
        return same[0] if same else client.create_project(name, branch="main").project


@contextmanager
def alone(ctx: Context, what: str) -> Iterator[None]:
    """Let one process at a time do this over a state folder."""
    import fcntl

    ctx.settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (ctx.settings.state_dir / f"{what}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def carried_out(client: NeonClient, ctx: Context, command: Sequence[str], asked: Asked) -> RunResult:
    """Plan, make the branch, run the command, remove the branch."""
    from neondba.neon.throwaway import Wanted, reached, throwaway_branch

    project, project_name = project_or_name(client, ctx)
    source = _source(client, project, asked)
    with ctx.carry_out(_plan(project, project_name, source, command, asked)):
        if project is None:
            ctx.progress(f"Creating project {project_name}")
            project = first_project(client, ctx, project_name)
        if not asked.branch:
            there = source or client.default_branch(project)
            branch, kept = reached(client, project.id, there, asked.database), True
            found = _run_on(client, ctx, branch, command)
        else:
            wanted = Wanted(
                name=asked.name,
                parent=source.id if source else None,
                schema_only=asked.schema_only,
                keep=asked.keep,
                lifetime=LIFETIME,
            )
            with throwaway_branch(
                client, ctx, project=project.id, purpose="run", database=asked.database, wanted=wanted
            ) as branch:
                found = _run_on(client, ctx, branch, command)
            kept = asked.keep
    following = (
        f"neondba branch delete {shlex.quote(branch.branch_name)} --project {shlex.quote(project_name)}",
    )
    return RunResult(
        command=shown(command),
        project=project_name,
        branch=branch.branch_name,
        kept=kept,
        next=following if asked.branch and kept else (),
        **found,
    )


def _source(client: NeonClient, project: Project | None, asked: Asked) -> Branch | None:
    """Give the branch to copy or to use; nothing when its project is still to be made."""
    if project is None:
        if asked.parent is not None:
            raise NotFoundProblem(
                "branch-not-found",
                f"There is no branch {asked.parent}: there is no project yet.",
                hint="Leave --parent out, or create the project first: neondba project create NAME",
            )
        return None
    if asked.name is not None:
        refuse_if_taken(asked.name, project, client.branches(project.id))
    return client.find_branch(project, asked.parent) if asked.parent else client.default_branch(project)


def _plan(
    project: Project | None, name: str, source: Branch | None, command: Sequence[str], asked: Asked
) -> Plan:
    parent = source.name if source else "main"
    fresh = f"branch {asked.name}" if asked.name else "a fresh branch"
    what = "the schema of " if asked.schema_only else ""
    steps = [f"Create project {name}: there is none yet."] if project is None else []
    steps += [f"Make {fresh} from {what}{parent} in project {name}."] if asked.branch else []
    steps += [f"Run on {'it' if asked.branch else parent}: {shlex.join(shown(command))}"]
    steps += ["Delete the branch."] if asked.branch and not asked.keep else []
    return Plan(
        operation="run",
        effect=Effect.WRITE,
        target=Target(
            project=name,
            branch=asked.name if asked.branch else parent,
            protected=bool(source and source.protected and not asked.branch),
        ),
        steps=tuple(steps),
    )


def _run_on(client: NeonClient, ctx: Context, branch: Throwaway, command: Sequence[str]) -> dict[str, Any]:
    """Run a command on a branch until it ends; give its status and what was captured."""
    ours = variables(branch, ctx)
    settings: dict[str, Any] = {"env": merged(os.environ, ours), "cwd": ctx.folder}
    renew = renewer(client, ctx, branch)
    if ctx.console is not None:
        ctx.console("")
        return {"status": child.in_terminal(command, renew, **settings)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = child.alone(command, renew, ctx, stdout=out, stderr=err, **settings)
        secrets = [ours["DATABASE_URL"], ours["DATABASE_URL_UNPOOLED"], ours["PGPASSWORD"]]
        key = ours["NEON_API_KEY"]
        secrets += [key] if len(key) > 8 else []
        return {"status": status, "stdout": _tail(out, secrets), "stderr": _tail(err, secrets)}


def _tail(stream: IO[bytes], secrets: list[str]) -> str:
    size = stream.seek(0, os.SEEK_END)
    longest = max(len(secret) for secret in secrets)
    # A secret that the cut goes through is not found any more: read a little further, mask, then cut.
    start = max(0, size - CAPTURED - longest)
    stream.seek(start)
    text = stream.read().decode(errors="replace")
    for secret in filter(None, secrets):
        text = text.replace(secret, MASK)
    return text[longest:] if start else text


def renewer(
    client: NeonClient, ctx: Context, branch: Throwaway, *, every: float | None = None
) -> Callable[[], None]:
    """Give what moves the branch's expiry on now and then; that also keeps the local Neon awake."""
    if every is None:
        every = 240.0 if client.is_local else 3600.0
    last = time.monotonic()

    def renew() -> None:
        nonlocal last
        if time.monotonic() - last < every:
            return
        last = time.monotonic()
        with suppress(Problem):
            there = client.branch(branch.project_id, branch.branch_id)
            if there.expires_at is not None:
                later = ctx.clock.now() + LIFETIME
                client.update_branch(branch.project_id, branch.branch_id, expires_at=later)

    return renew
