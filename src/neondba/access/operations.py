"""Operations on access."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.access.application_results import ApplicationProof
from neondba.access.map import IsolationMap
from neondba.access.results import IsolationProof
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem

PURPOSE = "isolate"


@operation(
    "isolation.prove",
    effect=Effect.WRITE,
    featured=True,
    findings=lambda proof: proof.found,
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard/app"}, problem="schema-missing"),
    ),
)
def isolation_prove(
    ctx: Context,
    path: Annotated[Path, Field(description="Folder of the project.")] = Path(),
    *,
    role: Annotated[
        str | None, Field(description="Role the application logs in with; found in the project if absent.")
    ] = None,
    owner: Annotated[
        tuple[str, ...], Field(description="Owner columns as table.column, beside those found by name.")
    ] = (),
    config: Annotated[
        str | None, Field(description="The alembic.ini to use, seen from the folder; found if absent.")
    ] = None,
    python: Annotated[
        str | None, Field(description="Interpreter with the project's Alembic; its .venv if absent.")
    ] = None,
    project: Annotated[
        str | None,
        Field(description="Neon project to branch from: its id or name; an empty database if absent."),
    ] = None,
    database: Annotated[
        str | None, Field(description="Database on the branch; the usual one if absent.")
    ] = None,
    application: Annotated[
        bool, Field(description="Walk the routes of the application instead: isolation walk.")
    ] = False,
) -> IsolationProof | ApplicationProof:
    """Act as user A against rows of user B, on a throw-away branch.

    Applies the project's migrations, puts rows of two users into each table with an owner column, logs
    in as the application's role and tries to read, add, change and delete the other user's rows, in
    transactions that are rolled back. Shown for each table: what protects it, or that nothing does.

    Raises:
        Problem: the schema cannot be made, or a role or column that was named does not exist.
    """
    from neondba.access.isolation import Request, prove_at
    from neondba.access.operations_application import isolation_walk
    from neondba.local import platform
    from neondba.neon.throwaway import throwaway_branch
    from neondba.project.migrated import require_migrations

    if application:
        return isolation_walk(
            ctx,
            path,
            role=role,
            owner=owner,
            config=config,
            python=python,
            project=project,
            database=database,
        )
    folder = (ctx.folder / path).resolve()
    if not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    chosen = project or ctx.settings.project
    if chosen is None:
        require_migrations(folder, config)
    with (
        ctx.carry_out(_plan(chosen, folder.name, role)),
        platform.client(ctx) as client,
        throwaway_branch(client, ctx, project=chosen, purpose=PURPOSE, database=database) as branch,
    ):
        asked = Request(role, owner, config, python, platform_url=branch.role_url)
        return prove_at(ctx, folder, branch.direct, asked, branch=branch.branch_name if chosen else None)


@operation(
    "isolation.map",
    effect=Effect.READ,
    findings=lambda found: found.opened,
    examples=(
        Example({"path": "examples/taskboard-fixed"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
    ),
)
def isolation_map(
    ctx: Context,
    path: Annotated[Path, Field(description="Folder of the project.")] = Path(),
    *,
    open: Annotated[bool, Field(description="List only statements that nothing binds.")] = False,  # noqa: A002
) -> IsolationMap:
    """List who reaches whose rows: entrances, statements and what binds them.

    Entrances are routes, server actions, pages, jobs and tools of an assistant. Read from the code, not
    run: `isolation prove` shows what the database itself holds.

    Raises:
        NotFoundProblem: there is no such folder.
    """
    from neondba.access.map import isolation_map as mapped

    return mapped((ctx.folder / path).resolve(), only_open=open)


def _plan(project: str | None, folder: str, role: str | None) -> Plan:
    return Plan(
        operation="isolation.prove",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…", role=role),
        steps=(
            f"Make a throw-away branch of {project}." if project else "Make an empty throw-away project.",
            f"Apply the migrations of {folder} there and add rows of two users.",
            "Try each user's rows as the other; roll every try back.",
            "Delete it.",
        ),
    )
