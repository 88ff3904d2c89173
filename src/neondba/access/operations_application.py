"""The operation that walks an application as two users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from neondba.access.application_results import ApplicationProof
from neondba.access.application_start import Asked, values
from neondba.access.prove_arguments import (
    App,
    AppPython,
    AppRole,
    Config,
    Database,
    Folder,
    Limit,
    Login,
    Owners,
    Parent,
    Prepare,
    Project,
    Register,
    SchemaOnly,
    Shared,
    Start,
    Values,
)
from neondba.core.context import Context
from neondba.core.context_file import noted_branch
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target

PURPOSE = "walk"


@operation(
    "isolation.walk",
    effect=Effect.WRITE,
    findings=lambda proof: proof.found,
    examples=(
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard/docs"}, problem="application-not-found"),
    ),
)
def isolation_walk(
    ctx: Context,
    path: Folder = Path(),
    *,
    app: App = None,
    start: Start = None,
    prepare: Prepare = None,
    python: AppPython = None,
    set: Values = (),  # noqa: A002
    login: Login = None,
    register: Register = None,
    role: AppRole = None,
    owner: Owners = (),
    shared: Shared = (),
    config: Config = None,
    project: Project = None,
    branch: Parent = None,
    schema_only: SchemaOnly = False,
    database: Database = None,
    limit: Limit = 300,
) -> ApplicationProof:
    """Walk the application's routes as user A with user B's identifiers.

    Starts the FastAPI application against a throw-away branch, in a copy of its folder, with none of your
    variables or .env files; calls to the outside lead nowhere. Signs two users in through the
    application's own routes, or by tokens of a test identity provider. Tries every route as A with B's
    identifiers in path, query, headers and body; puts the rows back after each request. Shown for each
    route: bound, bound by policy too, crossed (with evidence), public, or not reached and why.

    Raises:
        Problem: it does not start, or the branch to copy is protected or production.
    """
    given = Asked(
        app, start, python, prepare, login, register, values(set), role, owner, shared, config, limit
    )
    chosen = project or ctx.settings.project
    parent = branch or noted_branch(ctx.folder, chosen)
    return walked(ctx, path, given, Where(chosen, parent, schema_only, database))


@dataclass(frozen=True)
class Where:
    """What the throw-away branch is made of."""

    project: str | None
    branch: str | None
    schema_only: bool
    database: str | None


def walked(ctx: Context, path: Path, asked: Asked, where: Where) -> ApplicationProof:
    """Make the branch, prove on it, and throw it away."""
    from neondba.access.application import prove_application, refuse_people
    from neondba.access.application_place import application_of
    from neondba.access.operations import folder_at
    from neondba.local import platform
    from neondba.neon.throwaway import Wanted, throwaway_branch

    folder, project = folder_at(ctx, path), where.project
    if asked.start is None:
        application_of(folder, asked.application)
    source = Wanted(parent=where.branch, schema_only=where.schema_only, hold_end=True)
    wanted = source if project else Wanted()
    with ctx.carry_out(_plan(where, folder.name, asked.role)), platform.client(ctx) as client:
        if project is not None and not where.schema_only:
            refuse_people(client, project, where.branch)
        with throwaway_branch(
            client, ctx, project=project, purpose=PURPOSE, database=where.database, wanted=wanted
        ) as made:
            asked = replace(asked, platform_url=made.role_url)
            name = made.branch_name if project else None
            return prove_application(ctx, folder, made.direct, asked, branch=name)


def _plan(where: Where, folder: str, role: str | None) -> Plan:
    from neondba.neon import held_end

    project = where.project
    source = f"branch {where.branch} of {project}" if where.branch else project
    return Plan(
        operation="isolation.walk",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…", role=role),
        steps=(
            f"Make a throw-away branch of {source}." if project else "Make an empty throw-away project.",
            *held_end.steps(where.branch if project else None),
            f"Apply the migrations of {folder} there.",
            f"Start the application of {folder} against it, in a copy of the folder; sign two users in.",
            "Send requests as each with the other's identifiers; put the rows back after each.",
            "Stop the application and delete the branch.",
        ),
    )
