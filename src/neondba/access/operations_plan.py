"""The operation that plans row-level security."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.access.plan_results import IsolationPlanned
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import NotFoundProblem

if TYPE_CHECKING:
    from neondba.access.plan import Asked

PURPOSE = "policies"
Folder = Annotated[Path, Field(description="Folder of the project.")]
Owner = Annotated[
    tuple[str, ...], Field(description="Owner of a table, as table=column; two columns with a comma.")
]
Public = Annotated[tuple[str, ...], Field(description="Table that everybody reads, signed in or not.")]
Shared = Annotated[tuple[str, ...], Field(description="Table that everybody signed in reads.")]
Closed = Annotated[tuple[str, ...], Field(description="Table that the application does not reach.")]
Admin = Annotated[str | None, Field(description="Role that reaches everybody's rows; made if absent.")]
AppRole = Annotated[
    str | None,
    Field(description="The application's role; else the one of .env, or `app`, made."),
]
Source = Annotated[
    str | None, Field(description="Neon project with the tables; the project's migrations if absent.")
]
Database = Annotated[str | None, Field(description="Database on the branch; the usual one if absent.")]
Config = Annotated[
    str | None, Field(description="The alembic.ini to use, seen from the folder; found if absent.")
]
Python = Annotated[
    str | None, Field(description="Interpreter with the project's Alembic; its .venv if absent.")
]


@operation(
    "isolation.plan",
    effect=Effect.WRITE,
    findings=lambda planned: len(planned.open_tables),
    examples=(
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard/app"}, problem="schema-missing"),
    ),
)
def isolation_plan(
    ctx: Context,
    path: Folder = Path(),
    *,
    owner: Owner = (),
    public: Public = (),
    shared: Shared = (),
    closed: Closed = (),
    admin: Admin = None,
    role: AppRole = None,
    project: Source = None,
    database: Database = None,
    config: Config = None,
    python: Python = None,
) -> IsolationPlanned:
    """Write row-level security: a migration, and sessions that act as a user.

    Derives from schema and code whose the rows of each table are, tries the policies on a throw-away branch
    there and back, acts as two users in the application's role, and then writes a migration of the project's
    own tool and the code that tells each transaction who asks. What is there already stays.

    Raises:
        Problem: a table's owner cannot be told, or the schema cannot be made.
    """
    from neondba.access.plan import Asked

    folder = (ctx.folder / path).resolve()
    if not folder.is_dir():
        raise NotFoundProblem("path-not-found", f"{folder} is no folder.", hint="Give the project's folder.")
    source = project or ctx.settings.project
    asked = Asked(folder, owner, public, shared, closed, admin, role, source, config, python)
    return _on_a_branch(ctx, asked, database)


def _on_a_branch(ctx: Context, asked: Asked, database: str | None) -> IsolationPlanned:
    from neondba.access.plan import planned_at
    from neondba.core.context_file import noted_branch
    from neondba.local import platform
    from neondba.neon.throwaway import Wanted, throwaway_branch

    # Tables that are not yet in production stand on the branch that the folder was pointed at.
    wanted = Wanted(parent=noted_branch(ctx.folder, asked.project), hold_end=True)
    with (
        platform.client(ctx) as client,
        throwaway_branch(
            client, ctx, project=asked.project, purpose=PURPOSE, database=database, wanted=wanted
        ) as branch,
    ):
        return planned_at(ctx, asked, branch.direct)
