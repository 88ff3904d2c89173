"""The operation that checks a connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.connections.check_results import ConnectionCheck
from neondba.connections.check_use import Use
from neondba.connections.drivers import Asked
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect

Variable = Annotated[
    str,
    Field(
        description="Variable that holds the connection string, in the environment or in .env; or a string "
        "without a password.",
        min_length=1,
    ),
]


@operation(
    "connection.check",
    effect=Effect.READ,
    featured=True,
    findings=lambda check: check.faults,
    examples=(
        Example({"variable": "postgresql://app@127.0.0.1:1/neondb?sslmode=require", "driver": "asyncpg"}),
        Example({"variable": "NEONDBA_NO_SUCH_VARIABLE"}, problem="variable-not-set"),
        Example(
            {"variable": "postgresql://app:" + "example" + "@127.0.0.1/neondb"},
            problem="password-on-command-line",
        ),
        Example({"branch": "no-such-branch"}, problem="branch-not-found"),
    ),
)
def connection_check(
    ctx: Context,
    variable: Variable = "DATABASE_URL",
    *,
    use: Annotated[Use, Field(description="What the connection is for.")] = "app",
    driver: Annotated[
        Asked | None,
        Field(description="Advice for this driver, or for all; for those of the project here if absent."),
    ] = None,
    branch: Annotated[
        str | None,
        Field(description="Check this branch of the project, in place of a variable.", min_length=1),
    ] = None,
    role: Annotated[
        str | None, Field(description="Log in as this role; the database's owner if absent.", min_length=1)
    ] = None,
    pooled: Annotated[bool, Field(description="With --branch or --role: through the pooler.")] = False,
) -> ConnectionCheck:
    """Check a connection step by step: network, TLS, login, latency, role, limits.

    Says for each step what was seen, or why it was not looked at; whether pooled or direct fits the use; and
    how to write the string for the drivers that the project uses. The password is never taken from the
    command line nor shown.

    Raises:
        ArgumentProblem: the command line holds a password, or the value is no connection string.
        NotFoundProblem: the variable is not set; or the project has no such branch or role.
    """
    from neondba.connections import check, check_source

    source = (
        check_source.from_project(ctx, branch, role, pooled=pooled)
        if branch is not None or role is not None
        else check_source.from_argument(ctx, variable)
    )
    return check.check(ctx, source, use, driver)
