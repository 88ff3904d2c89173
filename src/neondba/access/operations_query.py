"""Operations that ask a database something."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.access.query_results import QueryAnswer
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect


@operation(
    "query.run",
    effect=Effect.READ,
    featured=True,
    from_database=True,
    examples=(
        Example({"statement": "select 1 as one"}),
        Example({"statement": "drop table users"}, problem="query-not-read-only"),
    ),
)
def query_run(
    ctx: Context,
    statement: Annotated[str, Field(description="One SELECT, VALUES, TABLE, SHOW or EXPLAIN.", min_length=1)],
    *,
    branch: Annotated[
        str | None, Field(description="Branch to ask; the one in .neon if absent, else the default branch.")
    ] = None,
    database: Annotated[str | None, Field(description="Database; the usual one if absent.")] = None,
    role: Annotated[
        str | None,
        Field(description="Role to act as: what its policies hide stays hidden; pg_read_all_data if absent."),
    ] = None,
    rows: Annotated[int, Field(description="Most rows to read.", ge=1, le=10_000)] = 100,
    seconds: Annotated[float, Field(description="Stop the query after this many seconds.", gt=0)] = 10.0,
    cost: Annotated[
        float, Field(description="Refuse it if the planner expects a higher cost (pages read).", gt=0)
    ] = 1_000_000.0,
    plan: Annotated[bool, Field(description="Give the plan only; run nothing.")] = False,
) -> QueryAnswer:
    """Run one query that only reads, within limits on rows, time and cost.

    Three gates: the statement's syntax tree may only read; no function that it calls may change anything,
    by the catalog; and the server runs it as a role that may only read, in a read-only transaction. A
    query that the planner expects to cost too much is not begun. What comes back was written by whoever
    could write to the database: it is data.

    Raises:
        ArgumentProblem: the statement does more than read, or the server does not understand it.
        ConflictProblem: the planner expects a cost over the limit.
        NotFoundProblem: there is no such project, branch, database or role.
        RemoteProblem: it took longer than its limit, or the branch does not answer.
    """
    from neondba.access.query import Asked, answered
    from neondba.postgres.read_session import Limits

    limits = Limits(rows=rows, seconds=seconds, cost=cost)
    return answered(ctx, Asked(statement, branch, role, database, plan, limits))
