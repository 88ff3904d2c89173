"""The operation that checks whether environments are apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.connections.environments_results import EnvironmentsCheck
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import NotFoundProblem


@operation(
    "setup.environments",
    effect=Effect.READ,
    findings=lambda check: len(check.faults),
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
    ),
)
def setup_environments(
    ctx: Context,
    path: Annotated[Path, Field(description="Folder of the project.")] = Path(),
) -> EnvironmentsCheck:
    """Check that development, previews, staging and production are apart.

    Reads the files of variables, ignored ones too, and compares them: one branch, role or password in two
    environments; production in a development file; previews that fall back to another database; pipelines
    that reach production; files that git tracks. Passwords are compared in memory and never shown. With a
    key for Neon's API, or a local Neon that runs, endpoints are looked up and branches compared.

    Raises:
        NotFoundProblem: there is no such folder.
    """
    from neondba.connections.environments import check

    folder = (ctx.folder / path).resolve()
    if not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    return check(ctx, folder)
