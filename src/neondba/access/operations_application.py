"""The operation that walks an application as two users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.access.application_results import ApplicationProof
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem

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
    path: Annotated[Path, Field(description="Folder of the project.")] = Path(),
    *,
    app: Annotated[str | None, Field(description="The application as module:name; found if absent.")] = None,
    start: Annotated[
        str | None, Field(description="Command that starts it, with {port}; uvicorn if absent.")
    ] = None,
    prepare: Annotated[
        str | None, Field(description="Command to run before, such as one that makes the tables.")
    ] = None,
    python: Annotated[
        str | None, Field(description="Interpreter with the application's packages; its .venv if absent.")
    ] = None,
    set: Annotated[  # noqa: A002
        tuple[str, ...], Field(description="NAME=VALUE for the application; its .env is not read.")
    ] = (),
    login: Annotated[
        str | None, Field(description="Path of the route where users log in; found if absent.")
    ] = None,
    register: Annotated[
        str | None, Field(description="Path of the route where users register; found if absent.")
    ] = None,
    role: Annotated[
        str | None, Field(description="Role the application logs in with; found in the project if absent.")
    ] = None,
    owner: Annotated[
        tuple[str, ...], Field(description="Owner columns as table.column, beside those found by name.")
    ] = (),
    shared: Annotated[tuple[str, ...], Field(description="Tables whose rows every user may read.")] = (),
    config: Annotated[
        str | None, Field(description="The alembic.ini to use, seen from the folder; found if absent.")
    ] = None,
    project: Annotated[
        str | None,
        Field(description="Neon project to branch from: its id or name; an empty database if absent."),
    ] = None,
    branch: Annotated[
        str | None, Field(description="Branch to copy; the project's default branch if absent.")
    ] = None,
    schema_only: Annotated[bool, Field(description="Copy the branch's tables without its rows.")] = False,
    database: Annotated[
        str | None, Field(description="Database on the branch; the usual one if absent.")
    ] = None,
    limit: Annotated[float, Field(description="Seconds after which the walk ends.", gt=0)] = 300,
) -> ApplicationProof:
    """Walk the application's routes as user A with user B's identifiers.

    Starts the project's own FastAPI application against a throw-away branch, in a copy of its folder and
    with none of your variables or .env files; calls to the outside lead nowhere. Signs two users in:
    through the application's own routes, or with tokens that a test identity provider vouches for. Makes
    rows of both, then tries every route of its OpenAPI document as A with B's identifiers in each place
    that takes one: path, query, header and body. After each request the rows are put back.

    Shown for each route: bound, bound by policy too, crossed (with the request, what crossed, the
    statement and the file and line), public, or not reached and why.

    Raises:
        Problem: the application does not start, has no tables or no OpenAPI document, or the branch to
            copy is protected or production.
    """
    from neondba.access.application import prove_application, refuse_people
    from neondba.access.application_place import application_of
    from neondba.access.application_start import Asked, values
    from neondba.local import platform
    from neondba.neon.throwaway import Wanted, throwaway_branch

    folder = (ctx.folder / path).resolve()
    if not folder.is_dir():
        raise NotFoundProblem(
            "path-not-found", f"{folder} is no folder.", hint="Give the path of the project's folder."
        )
    given = values(set)
    if start is None:
        application_of(folder, app)
    chosen = project or ctx.settings.project
    wanted = Wanted(parent=branch if chosen else None, schema_only=schema_only and chosen is not None)
    with ctx.carry_out(_plan(chosen, branch, folder.name, role)), platform.client(ctx) as client:
        if chosen is not None and not schema_only:
            refuse_people(client, chosen, branch)
        with throwaway_branch(
            client, ctx, project=chosen, purpose=PURPOSE, database=database, wanted=wanted
        ) as made:
            asked = Asked(
                app, start, python, prepare, login, register, given, role, owner, shared, config, limit,
                made.role_url,
            )  # fmt: skip
            name = made.branch_name if chosen else None
            return prove_application(ctx, folder, made.direct, asked, branch=name)


def _plan(project: str | None, branch: str | None, folder: str, role: str | None) -> Plan:
    source = f"branch {branch} of {project}" if branch else project
    return Plan(
        operation="isolation.walk",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…", role=role),
        steps=(
            f"Make a throw-away branch of {source}." if project else "Make an empty throw-away project.",
            f"Apply the migrations of {folder} there.",
            f"Start the application of {folder} against it, in a copy of the folder; sign two users in.",
            "Send requests as each with the other's identifiers; put the rows back after each.",
            "Stop the application and delete the branch.",
        ),
    )
