"""A merge as a migration of the project's own tool, and how the tool learns that it has run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ConflictProblem
from neondba.postgres.ddl.names import last, literal, plain
from neondba.project.version_tables import VERSION_TABLES

if TYPE_CHECKING:
    from neondba.postgres.ddl.schema import Schema
    from neondba.project.migration_writing.change import Change
    from neondba.project.migration_writing.writing import Migrations, Written
    from neondba.project.sql import History

_REVISION: Final = re.compile(r"^revision\b[^=\n]*=\s*['\"]([^'\"]+)", re.MULTILINE)


@dataclass
class Recorded:
    """Files of a migration, and the statements that note it as applied."""

    files: dict[str, str] = field(default_factory=dict)
    statements: tuple[str, ...] = ()
    note: str = ""


def version_tables(*schemas: Schema) -> list[str]:
    """Give the tables in which a migration tool keeps its record."""
    from neondba.postgres.ddl.values import Table

    names = {table.name for schema in schemas for table in schema.of(Table)}
    return sorted(name for name in names if plain(last(name)) in VERSION_TABLES)


@dataclass(frozen=True)
class Target:
    """What the branch that is merged into says of migrations."""

    tables: Sequence[str]
    """Its version tables."""
    versions: Sequence[str]
    """What its alembic_version holds."""


def recorded(
    folder: Path, now: datetime, name: str, up: Sequence[str], down: Sequence[str], target: Target
) -> Recorded:
    """Write the migration that carries a merge; nothing where the project has no migrations.

    Args:
        folder: The project.
        now: Stands in the file.
        name: Words for its name.
        up: Statements of the merge.
        down: Statements that take it back.
        target: The branch that is merged into.

    Raises:
        ConflictProblem: the target has not run what the project has, so nothing can follow it.
    """
    from neondba.project.alembic_history import AlembicHistory
    from neondba.project.facts import Facts
    from neondba.project.migration_writing.change import Change
    from neondba.project.migration_writing.writing import Migrations
    from neondba.project.sql import SqlFiles
    from neondba.project.tree import FolderTree

    tree = FolderTree(folder)
    facts = Facts(tree)
    by_tool = {plain(last(table)): table for table in target.tables}
    migrations = Migrations(tree, facts, now)
    change = Change(name, tuple(up), tuple(down))
    heads = [head.id for history in facts.get(AlembicHistory).histories for head in history.heads]
    if heads and ("alembic_version" in by_tool or not target.tables):
        if "alembic_version" in by_tool and not set(target.versions) & set(heads):
            raise _behind(target.versions, heads)
        return _with_alembic(migrations.write(change, "models.py"), by_tool, target.versions, heads)
    sql = facts.get(SqlFiles).histories
    return _with_files(migrations, change, sql, by_tool) if sql else Recorded()


def _with_files(
    migrations: Migrations, change: Change, histories: Sequence[History], by_tool: dict[str, str]
) -> Recorded:
    noted = "_prisma_migrations" in by_tool
    prisma = next((each for each in histories if each.tool == "Prisma"), None)
    history = prisma if prisma is not None and noted else histories[0]
    written = migrations.write(change, history.files[-1].path)
    if written.why_not or not written.files:
        return Recorded(note=f"No migration was written: {written.why_not or written.step}.")
    if history.tool == "Prisma" and noted:
        return Recorded(written.files, _prisma(by_tool["_prisma_migrations"], written.files))
    note = "Mark the migration as applied with your tool: its statements have run."
    return Recorded(written.files, note=note)


def _with_alembic(
    written: Written, by_tool: dict[str, str], versions: Sequence[str], heads: Sequence[str]
) -> Recorded:
    files, table = written.files, by_tool.get("alembic_version")
    if not files:
        return Recorded(note=f"No revision was written: {written.why_not}.")
    new = next((m[1] for text in files.values() if (m := _REVISION.search(text))), None)
    if table is None or new is None:
        return Recorded(files, note="The target has no alembic_version: run `alembic stamp head` there.")
    old = next(one for one in versions if one in heads)
    text = f"UPDATE {table} SET version_num = {literal(new)} WHERE version_num = {literal(old)}"  # noqa: S608
    return Recorded(files, (text,))


def _prisma(table: str, files: dict[str, str]) -> tuple[str, ...]:
    statements = []
    for path, text in files.items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        statements.append(
            f"INSERT INTO {table} "  # noqa: S608
            "(id, checksum, started_at, finished_at, migration_name, applied_steps_count) "
            f"VALUES (gen_random_uuid()::text, {literal(digest)}, now(), now(), "
            f"{literal(path.split('/')[-2])}, 1)"
        )
    return tuple(statements)


def _behind(versions: Sequence[str], heads: Sequence[str]) -> ConflictProblem:
    at = ", ".join(versions) or "no revision"
    return ConflictProblem(
        "target-behind",
        f"The target is at {at}, the project's newest revision is {', '.join(heads)}: a revision for this "
        "merge would follow one that the target has not run.",
        hint="Bring the target up to date first: neondba migration rehearse, then neondba migration apply. "
        "Or merge without a file: --no-migration.",
    )
