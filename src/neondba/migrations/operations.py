"""Operations on migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.migrations.results import Rehearsal

PURPOSE = "rehearse"

Folder = Annotated[Path, Field(description="Folder of the project.")]
Config = Annotated[
    str | None,
    Field(description="The alembic.ini or folder of migrations to use; found in the project if absent."),
]
Python = Annotated[
    str | None, Field(description="Interpreter with the project's Alembic; its .venv if absent.")
]
Tool = Annotated[
    str | None, Field(description="Whose files they are where they look alike, such as golang-migrate.")
]
ProjectWithData = Annotated[
    str | None,
    Field(description="Neon project whose data to use: its id or name; an empty database if absent."),
]
Database = Annotated[str | None, Field(description="Database on the branch; the usual one if absent.")]


@operation(
    "migration.rehearse",
    effect=Effect.WRITE,
    featured=True,
    findings=lambda rehearsal: len([step for step in rehearsal.steps if not step.sound]),
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard/app"}, problem="migrations-not-found"),
        Example({"path": "examples/taskboard", "python": "no/such/python"}, problem="python-not-found"),
    ),
)
def migration_rehearse(
    ctx: Context,
    path: Folder = Path(),
    *,
    config: Config = None,
    python: Python = None,
    tool: Tool = None,
    project: ProjectWithData = None,
    database: Database = None,
) -> Rehearsal:
    """Run each pending migration up, down and up again on a throw-away branch.

    Alembic runs with the project's own settings in its own Python; SQL files (Prisma, Drizzle, Flyway,
    goose, dbmate, golang-migrate, or plain numbered ones) run as their tool runs them, into its own table.
    Before each step a few rows are put into every empty table. Shown for each revision: whether the schema
    comes back, which rows survive, and for each statement how long it took, what it locked, wrote anew and
    logged. The branch is deleted afterwards.

    Raises:
        Problem: no migrations, a broken history, or settings that lead to another database.
    """
    from neondba.local import platform
    from neondba.migrations.rehearsal import rehearse_at
    from neondba.migrations.tools.detect import source_of
    from neondba.neon.throwaway import throwaway_branch
    from neondba.project.alembic_runner.locate import interpreters

    folder = (ctx.folder / path).resolve()
    found = source_of(folder, config, tool)
    if found.tool == "Alembic":
        interpreters(found.place, folder, python)
    chosen = project or ctx.settings.project
    with (
        ctx.carry_out(_plan(chosen, found.relative(folder))),
        platform.client(ctx) as client,
        throwaway_branch(client, ctx, project=chosen, purpose=PURPOSE, database=database) as branch,
    ):
        name = branch.branch_name if chosen else None
        return rehearse_at(ctx, folder, branch.direct, config=config, python=python, tool=tool, branch=name)


def _plan(project: str | None, config: str) -> Plan:
    return Plan(
        operation="migration.rehearse",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…"),
        steps=(
            f"Make a throw-away branch of {project}." if project else "Make an empty throw-away project.",
            f"Run the migrations of {config} there: up, down and up again.",
            "Delete it.",
        ),
    )
