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


@operation(
    "migration.rehearse",
    effect=Effect.WRITE,
    featured=True,
    findings=lambda rehearsal: len([step for step in rehearsal.steps if not step.sound]),
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard/app"}, problem="alembic-not-found"),
        Example({"path": "examples/taskboard", "python": "no/such/python"}, problem="python-not-found"),
    ),
)
def migration_rehearse(
    ctx: Context,
    path: Annotated[Path, Field(description="Folder of the project.")] = Path(),
    *,
    config: Annotated[
        str | None, Field(description="The alembic.ini to use, seen from the folder; found if absent.")
    ] = None,
    python: Annotated[
        str | None, Field(description="Interpreter with the project's Alembic; its .venv if absent.")
    ] = None,
    project: Annotated[
        str | None,
        Field(description="Neon project whose data to use: its id or name; an empty database if absent."),
    ] = None,
    database: Annotated[
        str | None, Field(description="Database on the branch; the usual one if absent.")
    ] = None,
) -> Rehearsal:
    """Run each pending migration up, down and up again on a throw-away branch.

    Uses the project's own Alembic and settings, in its own Python. Before each step a few rows are put
    into every empty table. Shown for each revision: whether the schema comes back, which rows survive,
    how long it took, which locks it held on which table. The branch is deleted afterwards.

    Raises:
        Problem: no Alembic, a broken history, or settings that lead to another database.
    """
    from neondba.local import platform
    from neondba.migrations.rehearsal import rehearse_at
    from neondba.neon.throwaway import throwaway_branch
    from neondba.project.alembic_runner.locate import alembic_config, interpreters

    folder = (ctx.folder / path).resolve()
    found = alembic_config(folder, config)
    interpreters(found, folder, python)
    chosen = project or ctx.settings.project
    with (
        ctx.carry_out(_plan(chosen, str(found.relative_to(folder)))),
        platform.client(ctx) as client,
        throwaway_branch(client, ctx, project=chosen, purpose=PURPOSE, database=database) as branch,
    ):
        return rehearse_at(
            ctx,
            folder,
            branch.direct,
            config=config,
            python=python,
            branch=branch.branch_name if chosen else None,
        )


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
