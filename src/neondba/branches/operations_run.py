"""Run a program on a branch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.branches.run import RunResult
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.local import platform


@operation(
    "run",
    effect=Effect.WRITE,
    examples=(
        Example({"command": ["true"]}),
        Example({"command": ["false"], "name": "one-test"}),
        Example({"command": ["true"], "branch": False}),
        Example({"command": ["true"], "parent": "no-such-branch"}, problem="branch-not-found"),
        Example({"command": ["no-such-program"]}, problem="command-not-found"),
        Example({"command": []}, problem="argument-invalid"),
    ),
)
def run(
    ctx: Context,
    command: Annotated[
        list[str], Field(description="The program and its arguments, behind `--`.", min_length=1)
    ],
    *,
    branch: Annotated[
        bool, Field(description="Make a fresh branch, gone afterwards; else use the parent itself.")
    ] = True,
    parent: Annotated[
        str | None, Field(description="Branch to copy, by name or id; the default branch if absent.")
    ] = None,
    name: Annotated[
        str | None, Field(description="Name of the fresh branch.", min_length=1, max_length=256)
    ] = None,
    database: Annotated[
        str | None, Field(description="Database to connect to; neondb or the oldest if absent.")
    ] = None,
    schema_only: Annotated[bool, Field(description="Copy the parent's schema without its rows.")] = False,
    keep: Annotated[bool, Field(description="Leave the fresh branch there afterwards.")] = False,
) -> RunResult:
    """Run a command on a fresh branch, gone afterwards.

    The branch reaches the command through its environment alone: `DATABASE_URL` (pooled),
    `DATABASE_URL_UNPOOLED`, the `PG…` variables of libpq, `NEON_BRANCH`, `NEON_PROJECT_ID`,
    `NEON_API_HOST` and `NEON_API_KEY`. Input, output, signals and the exit status are the command's own;
    where there is no terminal, the end of its output is part of the answer.
    """
    from neondba.branches import run as work

    work.program(command)
    with platform.client(ctx) as client:
        asked = work.Asked(branch, parent, name, database, schema_only, keep)
        return work.carried_out(client, ctx, command, asked)
