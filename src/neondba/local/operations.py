"""Start, show, stop, seed and reset the local Neon; explain what this machine can do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.local.doctor import Doctor
from neondba.local.reset import Reset
from neondba.local.seed import Seeded

State = Literal["started", "running already", "running", "stopped", "not running"]


class LocalNeon(BaseModel):
    """A local Neon and where it listens."""

    state: State
    """What it is now; after a start or a stop, whether that one did it."""
    running: bool
    state_dir: Path
    api: str | None = None
    """Base address of the API: what NEON_API_HOST is set to. Any key is accepted."""
    postgres: str | None = None
    """Address for PostgreSQL clients, shared by all endpoints."""
    sql: str | None = None
    """Where the serverless driver posts statements: its `fetchEndpoint`. WebSockets come to the same port."""
    secure_sql: str | None = None
    """The same over TLS, for clients that take nothing else."""
    authority: Path | None = None
    """Certificate of the authority that signed those of the PostgreSQL and TLS addresses."""
    pid: int | None = None
    projects: int = 0
    awake: int = 0
    """Computes that are awake."""
    connections: int = 0
    cloned_by: str | None = None
    """How branches are cloned here: `ficlone` (constant in time) or `copy`."""
    next: str | None = None
    """The command to go on with."""

    def as_env(self) -> str:
        """Give what other programs need in their environment, one variable a line."""
        return f"NEON_API_HOST={self.api}\nNEON_API_KEY=local" if self.running else ""

    def as_text(self, width: int) -> str:  # noqa: ARG002 - addresses are not wrapped
        """Show it for a person; without its addresses when it does not run."""
        if not self.running:
            lines = [f"The local Neon over {self.state_dir} is {self.state}; its projects stay on disk."]
            if self.state == "not running":
                lines = [f"No local Neon is running over {self.state_dir}."]
            return "\n".join([*lines, "", "Next:", f"  {self.next}"])
        computes = "1 compute is" if self.awake == 1 else f"{self.awake} computes are"
        lines = [
            f"The local Neon over {self.state_dir} is {self.state} (process {self.pid}).",
            "",
            f"API         {self.api}  (takes any key)",
            f"PostgreSQL  {self.postgres}",
            f"Serverless  {self.sql}  or {self.secure_sql}",
            f"Authority   {self.authority}",
            f"Projects    {self.projects}; {computes} awake, {self.connections} connected",
            f"Branches    are cloned by {self.cloned_by}",
        ]
        return "\n".join([*lines, "", "Next:", f"  {self.next}"])


def _shown(ctx: Context, state: State | None = None) -> LocalNeon:
    from neondba.local import launch

    running, folder = launch.status(ctx.settings.state_dir), ctx.settings.state_dir
    if running is None:
        return LocalNeon(
            state=state or "not running", running=False, state_dir=folder, next="neondba local start"
        )
    api = f"http://127.0.0.1:{running.api_port}/api/v2"
    return LocalNeon(
        state=state or "running",
        running=True,
        state_dir=folder,
        api=api,
        postgres=f"127.0.0.1:{running.postgres_port}",
        sql=f"http://127.0.0.1:{running.api_port}/sql",
        secure_sql=f"https://127.0.0.1:{running.https_port}/sql",
        authority=Path(running.ca),
        next=f"NEON_API_HOST={api} NEON_API_KEY=local neon projects list",
        **running.model_dump(include={"pid", "projects", "awake", "connections", "cloned_by"}),
    )


@operation(
    "local.start",
    effect=Effect.WRITE,
    examples=(Example(), Example({"foreground": True}, problem="console-needed")),
)
def local_start(
    ctx: Context,
    *,
    port: Annotated[
        int | None, Field(description="Port of the API; the one used last if absent.", ge=0, le=65535)
    ] = None,
    postgres_port: Annotated[
        int | None, Field(description="Port for PostgreSQL; the one used last if absent.", ge=0, le=65535)
    ] = None,
    idle_exit: Annotated[
        float | None, Field(description="End by itself after so many quiet seconds; 900 if absent.", gt=0)
    ] = None,
    foreground: Annotated[
        bool, Field(description="Stay until Ctrl-C or SIGTERM, then stop it: for containers.")
    ] = False,
) -> LocalNeon:
    """Start the local Neon in the background, unless it runs already."""
    from neondba.local import foreground as stay
    from neondba.local import launch

    stay.check(ctx, foreground)
    plan = Plan(
        operation="local.start",
        effect=Effect.WRITE,
        target=Target(),
        steps=(f"Start the local Neon over {ctx.settings.state_dir}, unless it runs already.",),
    )
    with ctx.carry_out(plan):
        if already := launch.status(ctx.settings.state_dir):
            launch.check_ports(already, port=port, postgres_port=postgres_port)
        launch.ensure(
            ctx.settings.state_dir,
            port=port,
            postgres_port=postgres_port,
            idle_exit=idle_exit or (stay.NEVER if foreground else None),
            progress=ctx.progress,
        )
        if foreground:
            stay.until_told(ctx, _shown(ctx, "started").as_text(80))
    return _shown(ctx, "stopped" if foreground else "running already" if already else "started")


@operation("local.status", effect=Effect.READ, examples=(Example(),))
def local_status(ctx: Context) -> LocalNeon:
    """Show whether the local Neon runs, and where it listens."""
    return _shown(ctx)


@operation("local.stop", effect=Effect.WRITE, beyond_project=True, examples=(Example(),))
def local_stop(ctx: Context) -> LocalNeon:
    """Stop the local Neon; projects and branches stay on disk."""
    from neondba.local import launch

    plan = Plan(
        operation="local.stop",
        effect=Effect.WRITE,
        target=Target(),
        steps=(f"Stop the local Neon over {ctx.settings.state_dir} and all its computes.",),
    )
    with ctx.carry_out(plan):
        ctx.progress("Stopping the local Neon")
        stopped = launch.stop(ctx.settings.state_dir)
    return _shown(ctx, "stopped" if stopped else None)


@operation("local.doctor", effect=Effect.READ, examples=(Example(),), findings=lambda found: found.broken)
def local_doctor(ctx: Context) -> Doctor:
    """Explain what this machine can do for the local Neon, and how it gets faster."""
    from neondba.local.doctor import examine

    return examine(ctx.settings.state_dir)


@operation(
    "local.reset",
    effect=Effect.DESTROY,
    beyond_project=True,
    examples=(Example(problem="confirmation-needed"),),
)
def local_reset(
    ctx: Context,
    *,
    project: Annotated[
        str | None, Field(description="Delete this project alone, by name or id; all if absent.")
    ] = None,
) -> Reset:
    """Delete all projects of the local Neon; its addresses stay."""
    from neondba.local import launch, reset

    folder = ctx.settings.state_dir
    if project is not None:
        return reset.one(ctx, project)
    names = reset.project_names(ctx)
    plan = Plan(
        operation="local.reset",
        effect=Effect.DESTROY,
        target=Target(),
        steps=(
            f"Stop the local Neon over {folder}, if it runs.",
            f"Delete all projects with their branches and data: {', '.join(names) or 'there is none'}.",
            "Start it again at the same addresses, if it ran.",
        ),
    )
    with ctx.carry_out(plan):
        ran = launch.stop(folder)
        reset.empty(folder)
        if ran:
            launch.ensure(folder, progress=ctx.progress)
    return Reset(state_dir=folder, deleted=names, running=ran, next=("neondba project create NAME",))


@operation(
    "local.seed",
    effect=Effect.WRITE,
    beyond_project=True,
    examples=(
        Example({"name": "seeded", "dump": "examples/local-neon/seed.sql"}),
        Example({"name": "seeded", "migrate": "true"}, problem="project-taken"),
        Example({"name": "unseeded", "migrate": "false"}, problem="migration-failed"),
        Example({"name": "lost", "dump": "no-such-file.dump"}, problem="dump-unreadable"),
        Example({"name": "empty"}, problem="seed-missing"),
    ),
)
def local_seed(
    ctx: Context,
    name: Annotated[str, Field(description="Name of the new project.", min_length=1, max_length=64)],
    *,
    dump: Annotated[
        Path | None, Field(description="Dump to load: of pg_dump in any format, or SQL, gzipped or not.")
    ] = None,
    migrate: Annotated[
        str | None, Field(description="Command that migrates or fills it, such as: alembic upgrade head.")
    ] = None,
    database: Annotated[
        str, Field(description="Name of its database.", min_length=1, max_length=63)
    ] = "neondb",
    jobs: Annotated[int, Field(description="How many tables to load at once.", ge=1, le=64)] = 2,
) -> Seeded:
    """Create a project on the local Neon from a dump, a command, or both."""
    from neondba.local import seed

    return seed.project(ctx, name, seed.Source(dump, migrate, database, jobs))
