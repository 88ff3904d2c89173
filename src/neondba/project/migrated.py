"""Bring the project's tables onto the branch."""

from __future__ import annotations

from pathlib import Path

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection
from neondba.postgres.roles import create_plain_role, missing_role
from neondba.postgres.shapes import shapes
from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.locate import alembic_config
from neondba.project.alembic_runner.runner import StepResult, first_line
from neondba.project.alembic_runner.session import OpenAlembic, open_alembic


def apply_migrations(
    ctx: Context, folder: Path, direct: Secret, session: Connection, config: str | None, python: str | None
) -> str:
    """Run all pending migrations; give the name of Alembic's own table.

    Raises:
        NotFoundProblem: there are no migrations, and the branch has no tables either.
        ConflictProblem: a migration fails.
    """
    try:
        with open_alembic(folder, direct, session, config=config, python=python) as alembic:
            for revision in alembic.pending:
                ctx.progress(f"Applying {revision.id} {revision.title}".rstrip() + ".")
                _applied(ctx, alembic, revision, session)
            return alembic.version_table
    except NotFoundProblem as problem:
        if problem.code != "alembic-not-found":
            raise
        if shapes(session):
            return "public.alembic_version"
        raise _no_tables(folder) from None


def require_migrations(folder: Path, config: str | None) -> None:
    """Refuse a project whose tables could come from nowhere.

    Raises:
        NotFoundProblem: it has no Alembic migrations.
    """
    try:
        alembic_config(folder, config)
    except NotFoundProblem as problem:
        if problem.code != "alembic-not-found":
            raise
        raise _no_tables(folder) from None


def _no_tables(folder: Path) -> Problem:
    return NotFoundProblem(
        "schema-missing",
        f"{folder} has no Alembic migrations, so an empty branch stays without tables.",
        hint="Name a Neon project whose database has the tables: --project NAME",
    )


def _applied(ctx: Context, alembic: OpenAlembic, revision: Revision, session: Connection) -> None:
    result = alembic.runner.step("up", revision.id, ctx.settings.step_limit, lambda: None)
    missing = missing_role(result.failure.said) if result.failure else None
    # Another step of the deployment makes such a role; here a plain one does as well.
    if missing and create_plain_role(session, missing, Secret(f"{ctx.chance.getrandbits(128):032x}")):
        result = alembic.runner.step("up", revision.id, ctx.settings.step_limit, lambda: None)
    if result.failure or result.stopped:
        raise _failed(revision, result, ctx.settings.step_limit)


def _failed(revision: Revision, result: StepResult, limit: float) -> Problem:
    said = first_line(result.failure.said) if result.failure else f"it was stopped after {limit:g} s"
    return ConflictProblem(
        "migration-failed",
        f"Revision {revision.id} ({Path(revision.file).name}) does not run: {said}",
        hint="See what is wrong with it: neondba migration rehearse",
        revision=revision.id,
    )
