"""Operations on migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.migrations.arguments import Config, Copied, Database, Folder, ProjectWithData, Python, Tool
from neondba.migrations.results import Rehearsal

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.throwaway import Throwaway

PURPOSE = "rehearse"


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
    branch: Copied = None,
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
    from neondba.neon.throwaway import Wanted, throwaway_branch
    from neondba.project.alembic_runner.locate import interpreters

    folder = (ctx.folder / path).resolve()
    found = source_of(folder, config, tool)
    if found.tool == "Alembic":
        interpreters(found.place, folder, python)
    chosen = project or ctx.settings.project
    wanted = Wanted(parent=branch)
    with (
        ctx.carry_out(_plan(chosen, branch, found.relative(folder))),
        platform.client(ctx) as client,
        throwaway_branch(
            client, ctx, project=chosen, purpose=PURPOSE, database=database, wanted=wanted
        ) as copy,
    ):
        name = copy.branch_name if chosen else None
        done = rehearse_at(ctx, folder, copy.direct, config=config, python=python, tool=tool, branch=name)
        if chosen:
            _keep(ctx, client, done, copy)
        return done


def _keep(ctx: Context, client: NeonClient, done: Rehearsal, copy: Throwaway) -> None:
    """Remember what was rehearsed on a copy of which branch: nothing else is applied."""
    from neondba.migrations.target import kept

    parent = client.branch(copy.project_id, copy.branch_id).parent_id
    if parent is not None:
        ctx.rehearsals.add(kept(done, ctx, copy.project_id, parent, copy.database))


def _plan(project: str | None, branch: str | None, config: str) -> Plan:
    of = f"branch {branch} of {project}" if branch else str(project)
    return Plan(
        operation="migration.rehearse",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…"),
        steps=(
            f"Make a throw-away branch of {of}." if project else "Make an empty throw-away project.",
            f"Run the migrations of {config} there: up, down and up again.",
            "Delete it.",
        ),
    )
