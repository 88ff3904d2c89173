"""Operations on access."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.access.application_results import ApplicationProof
from neondba.access.map import IsolationMap
from neondba.access.prove_arguments import (
    AlembicPython,
    AppRole,
    Config,
    Database,
    Folder,
    Owners,
    Project,
    Walks,
)
from neondba.access.results import IsolationProof
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem

if TYPE_CHECKING:
    from neondba.access.isolation import Request

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
    path: Folder = Path(),
    *,
    role: AppRole = None,
    owner: Owners = (),
    config: Config = None,
    python: AlembicPython = None,
    project: Project = None,
    database: Database = None,
    application: Walks = False,
) -> IsolationProof | ApplicationProof:
    """Act as user A against rows of user B, on a throw-away branch.

    Applies the project's migrations, puts rows of two users into each table with an owner column, logs
    in as the application's role and tries to read, add, change and delete the other user's rows, in
    transactions that are rolled back. Shown for each table: what protects it, or that nothing does.

    Raises:
        Problem: the schema cannot be made, or a role or column that was named does not exist.
    """
    from neondba.access.isolation import Request
    from neondba.access.operations_application import isolation_walk

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
    return _proved(ctx, path, Request(role, owner, config, python), project, database)


def _proved(
    ctx: Context, path: Path, asked: Request, project: str | None, database: str | None
) -> IsolationProof:
    from neondba.access.isolation import prove_at
    from neondba.core.context_file import noted_branch
    from neondba.local import platform
    from neondba.neon.throwaway import Wanted, throwaway_branch
    from neondba.project.migrated import require_migrations

    folder = folder_at(ctx, path)
    chosen = project or ctx.settings.project
    if chosen is None:
        require_migrations(folder, asked.config)
    wanted = Wanted(parent=noted_branch(ctx.folder, chosen), hold_end=True)
    with (
        ctx.carry_out(_plan(chosen, wanted.parent, folder.name, asked.role)),
        platform.client(ctx) as client,
        throwaway_branch(
            client, ctx, project=chosen, purpose=PURPOSE, database=database, wanted=wanted
        ) as branch,
    ):
        asked = replace(asked, platform_url=branch.role_url)
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


def folder_at(ctx: Context, path: Path) -> Path:
    """Give the project's folder.

    Raises:
        NotFoundProblem: there is no such folder.
    """
    folder = (ctx.folder / path).resolve()
    if not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    return folder


def _plan(project: str | None, branch: str | None, folder: str, role: str | None) -> Plan:
    from neondba.neon import held_end

    return Plan(
        operation="isolation.prove",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…", role=role),
        steps=(
            f"Make a throw-away branch of {project}." if project else "Make an empty throw-away project.",
            *held_end.steps(branch if project else None),
            f"Apply the migrations of {folder} there and add rows of two users.",
            "Try each user's rows as the other; roll every try back.",
            "Delete it.",
        ),
    )
