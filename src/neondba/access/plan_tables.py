"""Bring the project's tables onto the throw-away branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.postgres.catalog import snapshot
from neondba.postgres.connect import Connection
from neondba.postgres.shapes import shapes
from neondba.project.alembic_history import AlembicHistory
from neondba.project.facts import Facts
from neondba.project.migrated import apply_migrations
from neondba.project.migrated_sql import run_history, the_history
from neondba.project.sql import History, SqlFiles

_ELSEWHERE: Final = "Name a Neon project whose database has the tables: --project NAME"
_OURS: Final = re.compile(r"create policy (isolation_\w+) on (\S+)")


@dataclass(frozen=True)
class Source:
    """Where the tables come from."""

    folder: Path
    is_project: bool
    """Whether the branch is one of a project, and so has tables already."""
    config: str | None
    python: str | None


def bring_tables(ctx: Context, source: Source, facts: Facts, direct: Secret, session: Connection) -> None:
    """Run the project's migrations; on a branch of a project those that Alembic holds to be pending.

    Raises:
        Problem: there are none and the branch has no tables, or one fails.
    """
    if facts.get(AlembicHistory).histories:
        apply_migrations(ctx, source.folder, direct, session, source.config, source.python)
    elif not source.is_project:
        _run_sql(ctx, facts, session)
    elif shapes(session):
        _run_ours(ctx, facts, session)
    else:
        raise NotFoundProblem(
            "schema-missing",
            f"{source.folder} has no migrations that could be run, and the branch has no tables.",
            hint=_ELSEWHERE,
        )


def _run_sql(ctx: Context, facts: Facts, session: Connection) -> None:
    try:
        run_history(ctx, the_history(facts.tree), session)
    except Problem as problem:
        # The usual advice names an option that is not here.
        if "--branch" in (problem.hint or ""):
            problem.hint = _ELSEWHERE
        raise


def _run_ours(ctx: Context, facts: Facts, session: Connection) -> None:
    """Run what an earlier plan wrote and nobody has applied yet, so that it is not written twice."""
    there = snapshot(session).names("policy")
    for history in facts.get(SqlFiles).histories:
        for file in history.files:
            made = [f"{table}.{name}" for name, table in _OURS.findall(file.text) if not file.backward]
            if made and not there & set(made):
                run_history(ctx, History(history.folder, history.tool, [file]), session)
