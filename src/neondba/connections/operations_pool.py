"""The operations that size pools, write the sizes, and watch connections."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.connections.pool_asked import Asked, Way
from neondba.connections.pool_results import PoolAdvice
from neondba.connections.pool_watch_results import Watch
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect

Folder = Annotated[Path, Field(description="Folder of the project.")]
Variable = Annotated[str, Field(description="Variable that holds the connection string.", min_length=1)]
Branch = Annotated[
    str | None, Field(description="Branch whose compute counts; else the default.", min_length=1)
]
Measure = Annotated[bool, Field(description="Connect to measure wake and login; this wakes the compute.")]
Ways = Annotated[Way | None, Field(description="Address of the application, if no variable tells.")]
Serverless = Annotated[bool, Field(description="Each request runs in an instance of its own.")]
Instances = Annotated[int | None, Field(description="Machines that run the application.", ge=1, le=100_000)]
Workers = Annotated[int | None, Field(description="Processes of each instance.", ge=1, le=1000)]
Threads = Annotated[int | None, Field(description="Requests of a process at once.", ge=1, le=10_000)]
PoolSize = Annotated[int | None, Field(description="Connections that each process keeps.", ge=1, le=10_000)]
Overflow = Annotated[int | None, Field(description="Connections beyond these.", ge=0, le=10_000)]
ComputeMin = Annotated[float | None, Field(description="Least size of the compute, in CU.", gt=0, le=56)]
ComputeMax = Annotated[float | None, Field(description="Greatest size of the compute, in CU.", gt=0, le=56)]
Burst = Annotated[int | None, Field(description="Requests at once while it sleeps.", ge=1, le=20_000)]
PerSecond = Annotated[float | None, Field(description="Requests a second, under load.", gt=0, le=100_000)]
StatementMs = Annotated[
    float | None, Field(description="Time that a request keeps a connection.", gt=0, le=600_000)
]
WakeMs = Annotated[float | None, Field(description="Time that the compute takes to wake.", ge=0, le=600_000)]

Watched = Annotated[
    str | None, Field(description="Watch this branch of the project, in place of a variable.", min_length=1)
]
Every = Annotated[
    Duration | None, Field(description="Look again after this long; once if absent.", ge=timedelta(seconds=1))
]
Lasting = Annotated[Duration, Field(description="Go on for this long.", le=timedelta(days=1))]

_WHOLE = {"compute_min": 1.0, "compute_max": 2.0, "instances": 2, "workers": 2, "way": "direct"}


@operation(
    "pool.advise",
    effect=Effect.READ,
    turns={"--write": "pool.write"},
    findings=lambda advice: advice.faults,
    examples=(
        Example({"path": "examples/taskboard", **_WHOLE}),
        Example({"path": "examples/taskboard", "compute_min": 3.5}, problem="compute-size-invalid"),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard", "branch": "no-such-branch"}, problem="branch-not-found"),
    ),
)
def pool_advise(
    ctx: Context,
    path: Folder = Path(),
    *,
    variable: Variable = "DATABASE_URL",
    branch: Branch = None,
    measure: Measure = False,
    way: Ways = None,
    serverless: Serverless = False,
    instances: Instances = None,
    workers: Workers = None,
    threads: Threads = None,
    pool_size: PoolSize = None,
    overflow: Overflow = None,
    compute_min: ComputeMin = None,
    compute_max: ComputeMax = None,
    burst: Burst = None,
    per_second: PerSecond = None,
    statement_ms: StatementMs = None,
    wake_ms: WakeMs = None,
) -> PoolAdvice:
    """Size pools: what fits the compute, what happens at wake-up and under load.

    Reads pools and processes from the project and the bounds from its compute; options stand in for what
    cannot be read. Each figure says where it is from: given, read, measured, published or assumed. With
    `--write` the sizes go where the code has them: into .env, or in place of plain numbers in a call.

    Raises:
        ArgumentProblem: the size is none that Neon has, or the variable holds no connection string.
        NotFoundProblem: the folder, project or branch does not exist.
    """
    from neondba.connections.pool_advice import advise

    asked = Asked(
        path, variable, branch, measure, way, serverless, instances, workers, threads, pool_size, overflow,
        compute_min, compute_max, burst, per_second, statement_ms, wake_ms,
    )  # fmt: skip
    return advise(ctx, asked)[0]


@operation(
    "pool.write",
    effect=Effect.WRITE,
    examples=(
        # In a clone it would write into the example.
        Example({"path": "examples/taskboard", **_WHOLE}, slow=True),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
    ),
)
def pool_write(
    ctx: Context,
    path: Folder = Path(),
    *,
    variable: Variable = "DATABASE_URL",
    branch: Branch = None,
    measure: Measure = False,
    way: Ways = None,
    serverless: Serverless = False,
    instances: Instances = None,
    workers: Workers = None,
    threads: Threads = None,
    pool_size: PoolSize = None,
    overflow: Overflow = None,
    compute_min: ComputeMin = None,
    compute_max: ComputeMax = None,
    burst: Burst = None,
    per_second: PerSecond = None,
    statement_ms: StatementMs = None,
    wake_ms: WakeMs = None,
) -> PoolAdvice:
    """Write the advised sizes where the code has them: into .env, or into its call.

    The same as `pool advise --write`. Sets variables that the code reads its sizes from, the parameters of
    Prisma's address, the pooled host where the direct one is too small, and plain numbers in a Python call of
    a file that git could give back; everything else stays.

    Raises:
        ConflictProblem: nothing can be written safely; the advice shows the code to change.
        ArgumentProblem: the size is none that Neon has, or the variable holds no connection string.
        NotFoundProblem: the folder, project or branch does not exist.
    """
    from neondba.connections.pool_writing import write

    asked = Asked(
        path, variable, branch, measure, way, serverless, instances, workers, threads, pool_size, overflow,
        compute_min, compute_max, burst, per_second, statement_ms, wake_ms,
    )  # fmt: skip
    return write(ctx, asked)


@operation(
    "pool.watch",
    effect=Effect.READ,
    findings=lambda watch: len(watch.said) if watch.looks else 0,
    examples=(
        Example({"branch": "no-such-branch"}, problem="branch-not-found"),
        Example(
            {"variable": "postgresql://app@127.0.0.1:1/neondb?sslmode=require"}, problem="connection-failed"
        ),
    ),
)
def pool_watch(
    ctx: Context,
    variable: Variable = "DATABASE_URL",
    *,
    branch: Watched = None,
    every: Every = None,
    for_: Lasting = timedelta(minutes=1),
    wake: Annotated[bool, Field(description="Look even if that wakes a suspended compute.")] = False,
) -> Watch:
    """Show client and server connections, waits and saturation, once or live.

    Who holds connections is read from pg_stat_activity over one direct connection, which keeps the compute
    awake. Clients and waits are the pooler's: its console answers on the local Neon, not on the cloud. A
    series is printed as it goes: lines at a terminal; elsewhere, and with --format json, one JSON object in
    each line. It ends when nobody reads it any more, or with Ctrl-C.

    Raises:
        NotFoundProblem: the variable is not set; or the project has no such branch.
        RemoteProblem: the compute does not answer.
    """
    from neondba.connections.pool_watch import Wanted, watch

    return watch(ctx, Wanted(variable, branch, every, for_, wake))
