"""Bring the tables of a project whose migrations are SQL files onto a branch."""

from __future__ import annotations

import re
from typing import Final

from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Refused, trusted
from neondba.postgres.roles import create_plain_role, missing_role
from neondba.postgres.statement import Statement
from neondba.project.sql import History, SqlFile, SqlFiles
from neondba.project.tree import Tree

_STAMPED: Final = re.compile(r"(?:^|/)\d{8,}[^/]*(?:/migration)?\.sql$|(?:^|/)\d{8,}[^/]*/[^/]+\.sql$")


def the_history(tree: Tree) -> History:
    """Give the one history of SQL migrations.

    Raises:
        NotFoundProblem: there is none.
        ConflictProblem: there are several, which may belong to several databases.
    """
    found = [history for history in SqlFiles.gather(tree).histories if _forward(history)]
    if not found:
        raise NotFoundProblem(
            "schema-missing",
            "The project has no migrations, in Alembic or in SQL, so an empty branch stays without tables.",
            hint="Name a branch that has the tables: --branch NAME",
        )
    if len(found) > 1:
        folders = ", ".join(history.folder or "." for history in found[:5])
        raise ConflictProblem(
            "several-histories",
            f"There are {len(found)} histories of migrations: {folders}.",
            hint="Review the folder of one of them.",
        )
    return found[0]


def run_history(ctx: Context, history: History, session: Connection) -> None:
    """Run the way forward of each file, statement by statement.

    Raises:
        ConflictProblem: a statement is refused.
    """
    for file in _forward(history):
        ctx.progress(f"Applying {file.path}.")
        for statement in file.statements:
            _run(ctx, file, statement, session)


def _forward(history: History) -> list[SqlFile]:
    files = [file for file in history.files if not file.backward]
    if all(_STAMPED.search(file.path) for file in files):
        # Tools that put moments into names run them in the order of the letters.
        return sorted(files, key=lambda file: file.path)
    return files


def _run(ctx: Context, file: SqlFile, statement: Statement, session: Connection) -> None:
    try:
        session.execute(trusted(statement.text))
    except Refused as refused:
        missing = missing_role(str(refused))
        password = Secret(f"{ctx.chance.getrandbits(128):032x}")
        # Another step of the deployment makes such a role; here a plain one does as well.
        if not missing or not create_plain_role(session, missing, password):
            raise _failed(file, statement, refused) from None
        _run(ctx, file, statement, session)


def _failed(file: SqlFile, statement: Statement, refused: Exception) -> Problem:
    said = str(refused).partition("\n")[0]
    return ConflictProblem(
        "migration-failed",
        f"{file.path}:{statement.line} does not run: {said}",
        hint="Look at a branch that has the tables instead: --branch NAME",
    )
