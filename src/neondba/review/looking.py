"""Get at the database that a review looks at: a live branch, or the migrations' own schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.project.facts import Unavailable

if TYPE_CHECKING:
    from neondba.project.database import Database

PURPOSE = "look"


def looked_at(ctx: Context, folder: Path, branch: str | None, *, compared: bool) -> Database | Unavailable:
    """Look at the branch that is named, else at what the project's migrations make.

    Raises:
        Problem: the branch cannot be reached.
    """
    if compared:
        return Unavailable("a database has no earlier revision to compare with: leave --base out")
    if branch is not None:
        return _live(ctx, branch)
    try:
        return _made(ctx, folder.resolve())
    except Problem as problem:
        return Unavailable(f"the schema could not be made: {problem.message}")


def _live(ctx: Context, wanted: str) -> Database:
    from neondba.local import platform
    from neondba.neon.choose import project_for
    from neondba.neon.throwaway import reached

    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        found = client.find_branch(project, wanted)
        ctx.progress(f"Looking at branch {found.name} of project {project.name}.")
        direct = reached(client, project.id, found).direct
        return _read(ctx, direct, f"branch {found.name} of {project.name}", used=True)


def _made(ctx: Context, folder: Path) -> Database:
    """Apply the project's migrations on a branch that nobody will miss, and look."""
    from neondba.local import platform
    from neondba.neon.throwaway import throwaway_branch
    from neondba.postgres.connect import connect
    from neondba.project.migrated import apply_migrations, require_migrations
    from neondba.project.migrated_sql import run_history, the_history
    from neondba.project.tree import FolderTree

    project, history = ctx.settings.project, None
    try:
        require_migrations(folder, None)
    except NotFoundProblem:
        if project is None:
            history = the_history(FolderTree(folder))
    with (
        ctx.carry_out(_plan(project, folder.name)),
        platform.client(ctx) as client,
        throwaway_branch(client, ctx, project=project, purpose=PURPOSE) as branch,
    ):
        with connect(branch.direct, limit=ctx.settings.step_limit) as session:
            if history is not None:
                run_history(ctx, history, session)
            else:
                apply_migrations(ctx, folder, branch.direct, session, None, None)
        return _read(ctx, branch.direct, "the schema that the migrations make", used=False)


def _read(ctx: Context, direct: Secret, title: str, *, used: bool) -> Database:
    from neondba.postgres.connect import connect
    from neondba.postgres.looking import look
    from neondba.project.database import Database

    with connect(direct, limit=ctx.settings.step_limit) as session:
        found, refused = look(session)
    return Database(title, used, found, refused)


def _plan(project: str | None, folder: str) -> Plan:
    return Plan(
        operation="review",
        effect=Effect.WRITE,
        target=Target(project=project, branch=f"neondba-{PURPOSE}-…"),
        steps=(
            f"Make a throw-away branch of {project}." if project else "Make an empty throw-away project.",
            f"Apply the migrations of {folder} there and read the catalog.",
            "Delete it.",
        ),
    )
