"""The operation that tells who used a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.access.history_results import AccessHistory
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect

Moment = Annotated[
    str | None, Field(description="A day, a time in UTC, or how long ago: 2026-11-22, 2026-11-22T10:00Z, 3d.")
]


@operation(
    "access.history",
    effect=Effect.READ,
    examples=(
        Example({"role": "neondb_owner"}),
        Example({"role": "no_such_role"}, problem="role-not-found"),
        Example({"table": "no_such_table"}, problem="table-not-found"),
        Example({"since": "lately"}, problem="moment-invalid"),
        Example({"log": "no/such.log"}, problem="log-not-found"),
    ),
)
def access_history(
    ctx: Context,
    *,
    role: Annotated[str | None, Field(description="Only what this role did.")] = None,
    table: Annotated[str | None, Field(description="Only what was done to this table.")] = None,
    since: Moment = None,
    until: Moment = None,
    branch: Annotated[
        str | None, Field(description="Branch, by name or id; the one in .neon if absent, else the default.")
    ] = None,
    database: Annotated[
        str | None, Field(description="Database on the branch; the usual one if absent.")
    ] = None,
    log: Annotated[
        Path | None,
        Field(description="A server log to read: plain, JSON or CSV; the compute's own on the local Neon."),
    ] = None,
    limit: Annotated[int, Field(description="Show so many events, the newest; 0 shows all.", ge=0)] = 50,
) -> AccessHistory:
    """Show who connected and what they did, as far as there is evidence.

    From sessions, counted statements, table counters, the server's log and pgaudit in it. Each source says
    what it told, or that it was not checked and what to switch on. Statements are never shown: they may
    hold passwords and people's data.

    Raises:
        ArgumentProblem: a moment or the log cannot be read.
        NotFoundProblem: there is no such role, table, branch, database or log.
    """
    from neondba.access.audit_since import moment
    from neondba.access.history import Asked, history
    from neondba.access.role_place import opened

    asked = Asked(role, table, moment(since, ctx), moment(until, ctx))
    with opened(ctx, branch, database) as place:
        return history(ctx, place, asked, log=log, limit=limit)
