"""Fill a new project from a dump, by a command, or both; a failed one is not kept."""

from __future__ import annotations

import gzip
import os
import re
import secrets
import shlex
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

from pydantic import BaseModel

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem, ConflictProblem, RemoteProblem
from neondba.local.dump_text import loadable
from neondba.local.environment import fill, for_migrations

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import CreatedProject
    from neondba.neon.throwaway import Throwaway

Form = Literal["custom", "directory", "tar", "sql", "sql.gz"]

CUSTOM: Final = b"PGDMP"
GZIP: Final = b"\x1f\x8b"
WHERE: Final = re.compile(r"psql:<stdin>:(\d+): (?:ERROR|FATAL|error):\s+(.*)")
RESTORE: Final = re.compile(r"(?:could not execute query|COPY failed for table .*|ERROR):\s+(.*)")
SHOWN: Final = 300


class Seeded(BaseModel):
    """A project that was filled."""

    project: str
    id: str
    branch: str
    database: str
    source: tuple[str, ...]
    """What it was filled from."""
    seconds: float
    next: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a project is filled from."""

    dump: Path | None
    migrate: str | None
    database: str
    jobs: int

    def named(self) -> tuple[str, ...]:
        """Give the dump and the command, as a person calls them; no passwords."""
        from neondba.neon.connection_string import mask_text

        return tuple(mask_text(str(one)) for one in (self.dump, self.migrate) if one is not None)


def project(ctx: Context, name: str, source: Source) -> Seeded:
    """Create a project and fill it; on failure it is deleted again.

    Raises:
        Problem: the name is taken, or the dump or the command failed.
    """
    from neondba.local.platform import local_client

    if not source.named():
        raise ArgumentProblem(
            "seed-missing",
            "Nothing was said to fill it from.",
            hint="Give --dump FILE, --migrate COMMAND, or both.",
        )
    dump = ctx.folder / source.dump if source.dump is not None else None
    form = form_of(dump) if dump is not None else None
    with local_client(ctx) as client:
        if any(each.name == name for each in client.projects()):
            raise ConflictProblem(
                "project-taken",
                f"A project called {name} is there already.",
                hint=f"Take another name, or delete it: neondba local reset --project {shlex.quote(name)}",
            )
        begun = ctx.clock.monotonic()
        with ctx.carry_out(_plan(ctx, name, dump, form, source)):
            made = client.create_project(name, branch="main", database=source.database)
            try:
                _fill(client, ctx, made, dump, source)
            except BaseException:
                client.delete_project(made.project.id, hard=True)
                raise
    return Seeded(
        project=name,
        id=made.project.id,
        branch=made.branch.name,
        database=source.database,
        source=source.named(),
        seconds=round(ctx.clock.monotonic() - begun, 2),
        next=(f"neondba run --project {shlex.quote(name)} -- YOUR COMMAND",),
    )


def _plan(ctx: Context, name: str, dump: Path | None, form: Form | None, source: Source) -> Plan:
    steps = [f"Create project {name} with database {source.database} on the local Neon."]
    steps += [f"Load {dump} ({form}); owners and grants of it are left out."] if dump else []
    steps += [f"Run in {ctx.folder}: {source.named()[-1]}"] if source.migrate else []
    return Plan(operation="local.seed", effect=Effect.WRITE, target=Target(project=name), steps=tuple(steps))


def _fill(client: NeonClient, ctx: Context, made: CreatedProject, dump: Path | None, source: Source) -> None:
    from neondba.local import launch, tunnel
    from neondba.neon.throwaway import reached

    branch = reached(client, made.project.id, made.branch, source.database)
    environment = for_migrations(branch, ctx, os.environ)
    if dump is not None:
        ctx.progress(f"Loading {dump.name}")
        authority = Path(launch.ensure(ctx.settings.state_dir).ca)
        with tunnel.opened(environment["PGHOST"], int(environment["PGPORT"]), authority) as through:
            load(dump, branch, {**environment, **through}, source.jobs)
    if source.migrate is not None:
        ctx.progress(f"Running {source.named()[-1]}")
        fill(source.migrate, ctx.folder, environment, f"project {made.project.name}")


def form_of(dump: Path) -> Form:
    """Tell what kind of dump this is.

    Raises:
        ArgumentProblem: there is no such file, or it is not readable.
    """
    try:
        if dump.is_dir():
            if (dump / "toc.dat").exists():
                return "directory"
            raise ArgumentProblem(
                "dump-unknown", f"{dump} is a folder, and not one that pg_dump -Fd has made."
            )
        with dump.open("rb") as file:
            head = file.read(8)
        if not head:
            raise ArgumentProblem("dump-empty", f"{dump} is empty.", hint="Make the dump again.")
        if head.startswith(CUSTOM):
            return "custom"
        if head.startswith(GZIP):
            return "sql.gz"
        return "tar" if tarfile.is_tarfile(dump) else "sql"
    except OSError as error:
        raise ArgumentProblem(
            "dump-unreadable", f"{dump} cannot be read: {error.strerror}.", hint="Give the path of a dump."
        ) from None


def load(dump: Path, branch: Throwaway, environment: dict[str, str], jobs: int) -> None:
    """Load a dump as the database's owner, in parallel where the dump allows it.

    Raises:
        RemoteProblem: a statement of it failed; everything before it has been done.
    """
    from neondba.postgres import binaries

    programs, form = binaries.find(), form_of(dump)
    if form in ("sql", "sql.gz"):
        _load_sql(programs.program("psql"), dump, form, branch, environment)
        return
    command = [programs.program("pg_restore"), "--no-owner", "--no-acl", "--exit-on-error", "--no-password"]
    command += [f"--dbname={branch.database}", *([] if form == "tar" else [f"--jobs={jobs}"]), str(dump)]
    ended = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise _failed(dump, *_said_by_restore(ended.stderr))


def _load_sql(psql: str, dump: Path, form: Form, branch: Throwaway, environment: dict[str, str]) -> None:
    command = [psql, "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
    command += [f"--dbname={branch.database}", "--file=-"]
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )
        assert child.stdin is not None
        try:
            with _opened(dump, form) as lines, child.stdin as feed:
                # A dump is data: psql's own commands in it, such as \!, must not run.
                feed.write(f"\\restrict {secrets.token_hex(16)}\n".encode())
                for line in loadable(lines):
                    feed.write(line)
        except BrokenPipeError:
            pass  # psql has stopped at an error, which it says.
        except (OSError, EOFError) as error:
            child.kill()
            child.wait()
            raise ArgumentProblem("dump-unreadable", f"{dump} cannot be read: {error}.") from None
        if child.wait():
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise _failed(dump, *_said_by_psql(text, dump, form))


def _opened(dump: Path, form: Form) -> IO[bytes]:
    return gzip.open(dump, "rb") if form == "sql.gz" else dump.open("rb")  # type: ignore[return-value]


def _said_by_restore(text: str) -> tuple[str, str]:
    said = RESTORE.search(text)
    statement = text.partition("Command was: ")[2].split("\npg_restore:")[0]
    first = said[1] if said else (text.strip().splitlines() or ["it gave no reason"])[0]
    return first.removeprefix("ERROR:").strip(), statement.strip()


def _said_by_psql(text: str, dump: Path, form: Form) -> tuple[str, str]:
    said = WHERE.search(text)
    if said is None:
        return (text.strip().splitlines() or ["it gave no reason"])[0], ""
    number = int(said[1]) - 1  # The first line was ours.
    with _opened(dump, form) as lines:
        near = next((line for place, line in enumerate(lines, start=1) if place == number), b"")
    return said[2], f"line {number}: {near.decode(errors='replace').strip()}"


def _failed(dump: Path, why: str, statement: str) -> RemoteProblem:
    where = " ".join(statement.split())
    at = f", at {where[:SHOWN]}" if where else ""
    return RemoteProblem(
        "seed-failed",
        f"{dump.name} could not be loaded: {why}{at}",
        hint="Nothing of it was kept. Correct the dump, or leave that object out when you make it.",
    )
