"""The operation that takes a folder from nothing to a verified connection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.connections.setup_results import SetUp
from neondba.connections.setup_stacks import Start
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect

Name = Annotated[
    str | None,
    Field(description="Name of a new project; the folder's name if absent.", min_length=1, max_length=64),
]
Branch = Annotated[
    str | None,
    Field(
        description="Branch of development; the one that .env leads to, else development, if absent.",
        min_length=1,
        max_length=256,
    ),
]
App = Annotated[
    str | None,
    Field(description="Folder of the program in a repository that holds several.", min_length=1),
]


@operation(
    "setup",
    effect=Effect.WRITE,
    findings=lambda found: found.failed,
    examples=(
        Example({"stack": "go"}, problem="folder-not-empty"),
        Example({"app": "no-such-folder"}, problem="app-not-found"),
    ),
)
def setup(
    ctx: Context,
    name: Name = None,
    *,
    stack: Annotated[
        Start | None, Field(description="What an empty folder begins as; plain Python if absent.")
    ] = None,
    branch: Branch = None,
    staging: Annotated[
        bool, Field(description="Set up staging too: a branch, a role and .env.staging.")
    ] = False,
    production: Annotated[
        bool, Field(description="Set up production too: a role on the default branch and .env.production.")
    ] = False,
    app: App = None,
    file: Annotated[
        Path | None, Field(description="File of variables; .env where the program looks for it if absent.")
    ] = None,
) -> SetUp:
    """Go from nothing to a verified connection, in a new or an existing project.

    Reads what the code is built with and which variables it reads; creates or links a Neon project (in the
    cloud with an API key, else on the local Neon), a branch and a role for each environment; writes what the
    program reads into `.env`, keeps every line it did not write, and connects pooled and direct. A second run
    changes nothing. What was made goes again when a later step fails.

    Raises:
        ConflictProblem: the project's name is taken, or git tracks the file of variables.
        ArgumentProblem: a manifest, the settings or a file of variables cannot be read or written.
    """
    from neondba.connections.setup import Asked, set_up
    from neondba.local import platform

    asked = Asked(name, stack, branch, staging, production, app, file)
    with platform.client(ctx) as client:
        return set_up(client, ctx, asked)
