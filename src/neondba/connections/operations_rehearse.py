"""The operations that rehearse what a connection goes through."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from neondba.connections.rehearse_results import ConnectionRehearsal
from neondba.connections.session_state_results import PoolRehearsal
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.local import platform

Command = Annotated[list[str], Field(description="The program and its arguments, behind `--`.", min_length=1)]
Parent = Annotated[
    str | None,
    Field(description="Branch to copy, by name or id; if absent, the one that .env leads to or the default."),
]
Database = Annotated[str | None, Field(description="Database to connect to; neondb or the oldest if absent.")]
Prepare = Annotated[
    str | None,
    Field(description="Command that migrates or fills each copy first, such as `alembic upgrade head`."),
]
Limit = Annotated[Duration, Field(description="End a run that has not ended after this long.")]
Lasting = Annotated[Duration | None, Field(description="Run it for this long, then end it: for servers.")]
Disturb = Annotated[
    tuple[Literal["suspend", "restart", "failover", "cut"], ...],
    Field(description="What is done to the compute; `cut` drops connections without a word.", min_length=1),
]
Moments = Annotated[
    tuple[Duration, ...],
    Field(
        description="Moments after the start, or after the first visit that is answered; spread over the "
        "run's statements if none is given."
    ),
]
Visited = Annotated[
    tuple[str, ...],
    Field(description="Addresses of the application on this machine to ask again and again meanwhile."),
]
Pooled = Annotated[bool, Field(description="Give it a pooled connection; else a direct one.")]
QUARTER: Final = timedelta(minutes=15)


@operation(
    "connection.rehearse",
    effect=Effect.WRITE,
    findings=lambda rehearsal: rehearsal.faults,
    examples=(
        Example({"command": ["pytest"]}, slow=True),
        Example({"command": ["no-such-program"]}, problem="command-not-found"),
        Example({"command": []}, problem="argument-invalid"),
        Example({"command": ["true"], "parent": "no-such-branch"}, problem="branch-not-found"),
        Example({"command": ["true"], "visit": ["https://example.com"]}, problem="url-not-local"),
    ),
)
def connection_rehearse(
    ctx: Context,
    command: Command,
    *,
    disturb: Disturb = ("suspend", "restart", "failover"),
    at: Moments = (),
    for_: Lasting = None,
    visit: Visited = (),
    pooled: Pooled = True,
    parent: Parent = None,
    database: Database = None,
    prepare: Prepare = None,
    limit: Limit = QUARTER,
) -> ConnectionRehearsal:
    """Run a command while its compute is suspended, restarted and failed over.

    Each run has a throw-away copy of a branch, and its connections pass a relay on this machine that notes
    statements. First the command runs undisturbed; then its compute is taken away between transactions and
    within one. The answer says what was cut, what came again, how long until the database answered, and what
    the application should set instead. No other branch is touched.
    """
    from neondba.connections import rehearse as work
    from neondba.connections.rehearse_visit import checked
    from neondba.project.command import program

    program(command, "neondba connection rehearse")
    checked(visit)
    moments = tuple(each.total_seconds() for each in at)
    during = for_.total_seconds() if for_ else None
    asked = work.Asked(
        command, disturb, moments, during, limit.total_seconds(), pooled, parent, database, prepare, visit
    )
    work.checked(asked)
    with platform.client(ctx) as client:
        return work.rehearsed(client, ctx, asked)


@operation(
    "pool.rehearse",
    effect=Effect.WRITE,
    findings=lambda rehearsal: rehearsal.faults,
    examples=(
        Example({"command": ["pytest"]}, slow=True),
        Example({"command": ["no-such-program"]}, problem="command-not-found"),
        Example({"command": []}, problem="argument-invalid"),
        Example({"command": ["true"], "parent": "no-such-branch"}, problem="branch-not-found"),
    ),
)
def pool_rehearse(
    ctx: Context,
    command: Command,
    *,
    for_: Lasting = None,
    parent: Parent = None,
    database: Database = None,
    prepare: Prepare = None,
    limit: Limit = QUARTER,
) -> PoolRehearsal:
    """Run a command through the pooler; name statements that need their own session.

    It runs twice, on throw-away copies of a branch: direct, then pooled with another client at the same
    pooler, which looks for what was left in the connection and keeps that connection for a while. Named are
    settings, locks, temporary tables, cursors and prepared statements of the session, LISTEN, start-up
    parameters and the like: where they are written, what they did, and what to write instead.
    """
    from neondba.connections import session_state_run as work
    from neondba.project.command import program

    program(command, "neondba pool rehearse")
    during = for_.total_seconds() if for_ else None
    asked = work.Asked(command, during, limit.total_seconds(), parent, database, prepare)
    with platform.client(ctx) as client:
        return work.rehearsed(client, ctx, asked)
