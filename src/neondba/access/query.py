"""Run a query that may only read: three gates, then limits on rows, time and cost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from neondba.access.query_results import Column, QueryAnswer
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem

if TYPE_CHECKING:
    from neondba.postgres.connect import Connection
    from neondba.postgres.read_session import Limits

LONGEST: Final = 2_000
"""Characters of one value that are given."""
DEEPEST: Final = 50
"""Levels of a JSON value that are given."""
VERIFIER: Final = re.compile(r"SCRAM-SHA-256\$[0-9]+:[\w+/=:$]+")
"""How PostgreSQL keeps a password: statistics and views may hold it too."""


@dataclass(frozen=True)
class Asked:
    """What the caller wants."""

    statement: str
    branch: str | None
    role: str | None
    database: str | None
    plan_only: bool
    limits: Limits


def answered(ctx: Context, asked: Asked) -> QueryAnswer:
    """Let the statement through the gates and run it on the branch.

    Raises:
        ArgumentProblem: it does more than read, or the server does not understand it.
        ConflictProblem: the planner expects more than the limit.
        NotFoundProblem: there is no such project, branch, database or role.
        RemoteProblem: it took too long.
    """
    from neondba.access.role_place import chosen_branch
    from neondba.local import platform
    from neondba.neon.choose import project_for
    from neondba.neon.throwaway import reached
    from neondba.postgres.connect import connect
    from neondba.postgres.read_session import READER, only_reading, refused
    from neondba.postgres.reading import read

    found = read(asked.statement)
    if found.refused is not None:
        raise refused(found.refused)
    role, begun = asked.role or READER, ctx.clock.monotonic()
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        branch = chosen_branch(client, ctx, project, asked.branch)
        place = reached(client, project.id, branch, asked.database)
    answer = QueryAnswer(branch=branch.name, database=place.database, role=role, seconds=0.0)
    try:
        with connect(place.direct) as session, only_reading(session, role, asked.limits):
            _run(session, ctx, found, asked, answer)
    except ArgumentProblem as problem:
        where = f"That was on branch {branch.name}, database {place.database}."
        raise ArgumentProblem(
            problem.code, f"{problem.message} {where}", hint=problem.hint, **problem.facts
        ) from None
    answer.seconds = round(ctx.clock.monotonic() - begun, 3)
    return answer


def _run(session: Connection, ctx: Context, found: Any, asked: Asked, answer: QueryAnswer) -> None:
    from neondba.postgres.read_session import check_functions, estimated, fetched, filtered

    check_functions(session, found)
    for table in filtered(session, found.tables):
        answer.notes.append(
            f"{table} has row-level security: {answer.role} sees only what its policies let through."
        )
    if not found.explains:
        expected = estimated(session, asked.statement, asked.limits)
        answer.cost, answer.expected_rows = expected.cost, expected.rows
        if asked.plan_only:
            answer.plan = expected.plan
            return
    rows = fetched(session, asked.statement, asked.limits, ctx.cancelled)
    answer.columns = [Column(name=name, type=kind) for name, kind in rows.columns]
    answer.rows = [[plain(value) for value in row] for row in rows.rows]
    if rows.more:
        answer.notes.append(f"There are more rows: {rows.more}.")


def plain(value: Any, depth: int = 0) -> Any:
    """Give a value as JSON has it, without verifiers of passwords."""
    if value is None or isinstance(value, bool | int | float):
        return value if value == value and abs(value or 0) != float("inf") else str(value)
    if isinstance(value, dict | list | tuple) and depth == DEEPEST:
        return "… (nested deeper)"
    if isinstance(value, dict):
        return {_text(str(name)): plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, depth + 1) for inner in value]
    text = _text(value.decode(errors="replace") if isinstance(value, bytes) else str(value))
    return text if len(text) <= LONGEST else text[:LONGEST] + f"… ({len(text):,} characters)"


def _text(text: str) -> str:
    # JSON of PostgreSQL may hold half of a character, which no UTF-8 can.
    whole = text.encode(errors="replace").decode()
    return VERIFIER.sub("SCRAM-SHA-256$***", whole)
