"""Operations on migrations."""

from __future__ import annotations

from pathlib import Path

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.migrations.arguments import (
    Config,
    Copied,
    Database,
    Folder,
    ProjectWithData,
    Python,
    Tool,
    UnderLoad,
)
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
    load: UnderLoad = False,
) -> Rehearsal:
    """Run each pending migration up, down and up again on a throw-away branch.

    Alembic runs with the project's own settings in its own Python; SQL files (Prisma, Drizzle, Flyway,
    goose, dbmate, golang-migrate, or plain numbered ones) run as their tool runs them, into its own table.
    Before each step a few rows are put into every empty table. Shown for each revision: whether the schema
    comes back, which rows survive, and for each statement how long it took, what it locked, wrote anew and
    logged. What keeps others waiting is run a second time the safer way, where there is one. With a
    project, the rehearsal is remembered: `migration apply` wants it. Each branch is deleted afterwards.

    Raises:
        Problem: no migrations, a broken history, or settings that lead to another database.
    """
    from neondba.local import platform
    from neondba.migrations.rehearsing import Rehearsing, usable
    from neondba.migrations.target import Asked

    asked = Asked((ctx.folder / path).resolve(), config, python, tool, branch, database)
    source = usable(asked)
    chosen = project or ctx.settings.project
    plan = _plan(chosen, branch, source.relative(asked.folder), load=load)
    with ctx.carry_out(plan), platform.client(ctx) as client:
        return Rehearsing(ctx, client, asked, chosen).all(load=load)


def _plan(project: str | None, branch: str | None, config: str, *, load: bool) -> Plan:
    from neondba.neon import held_end

    of = f"branch {branch} of {project}" if branch else str(project)
    return Plan(
        operation="migration.rehearse",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…"),
        steps=(
            f"Make a throw-away branch of {of}." if project else "Make an empty throw-away project.",
            *held_end.steps(branch if project else None),
            f"Run the migrations of {config} there: up, down and up again.",
            "Run the safer way of what keeps others waiting on a second one, where there is such a way.",
            *(["Run them under an application's load on a third one."] if load else []),
            "Delete each.",
        ),
    )
