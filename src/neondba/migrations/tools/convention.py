"""How one tool names its files and what it writes into the database."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from neondba.core.problem import ConflictProblem
from neondba.migrations.tools.sql_migration import SqlMigration
from neondba.postgres.connect import Connection, Row, literal, trusted


class Convention(ABC):
    """One tool's habits."""

    tool: ClassVar[str]
    table: ClassVar[str]
    """Its own table, as Postgres prints the name."""
    create: ClassVar[tuple[str, ...]]
    """What makes the table where it is missing."""

    @abstractmethod
    def read(self, place: Path) -> list[SqlMigration]:
        """Read the migrations, oldest first."""

    @abstractmethod
    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:
        """Give the ids that the tool's rows say are applied.

        Raises:
            ConflictProblem: one is half applied, or its file is no longer what was applied.
        """

    @abstractmethod
    def up(self, migration: SqlMigration) -> list[str]:
        """Give the statements that record a migration."""

    @abstractmethod
    def down(self, migration: SqlMigration, before: str | None) -> list[str]:
        """Give the statements that take the record back; the one before is then the last."""

    def applied(self, session: Connection, known: Sequence[SqlMigration]) -> list[str]:
        """Ask the database what it has seen, oldest first."""
        there = session.execute("select to_regclass(%s) as oid", [self.table]).fetchone()
        if not there or there["oid"] is None:
            return []
        rows = session.execute(trusted(f"select * from {self.table}")).fetchall()
        seen = set(self.seen(rows, known))
        return [migration.id for migration in known if migration.id in seen]


class Versions(Convention):
    """One row for each version that is applied."""

    column: ClassVar[str] = "version"

    def seen(self, rows: Sequence[Row], known: Sequence[SqlMigration]) -> list[str]:  # noqa: ARG002
        """Give the versions in the table."""
        return [str(row[self.column]) for row in rows]

    def up(self, migration: SqlMigration) -> list[str]:
        """Add the version's row."""
        return [f"insert into {self.table} ({self.column}) values ({literal(migration.id)})"]

    def down(self, migration: SqlMigration, before: str | None) -> list[str]:  # noqa: ARG002
        """Remove the version's row."""
        return [f"delete from {self.table} where {self.column} = {literal(migration.id)}"]


def sha256(path: Path) -> str:
    """Give a file's SHA-256 in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def text_of(path: Path) -> str:
    """Read a migration file.

    Raises:
        ConflictProblem: it is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise ConflictProblem(
            "migration-unloadable",
            f"{path.name} cannot be read: {error}.",
            hint="Write the file anew in UTF-8.",
            files=[str(path)],
        ) from None


def by_number(name: str) -> tuple[tuple[int, str], ...]:
    """Order versions as numbers: 2 before 10."""
    return tuple(
        (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name) if part
    )


def changed(tool: str, migration: SqlMigration) -> ConflictProblem:
    """Say that a file is no longer what was applied."""
    return ConflictProblem(
        "migration-changed",
        f"{migration.files[0].name} was changed after {tool} had applied it there.",
        hint="Restore the file from git, and put the change into a new migration.",
        revision=migration.id,
    )


def half_applied(tool: str, name: str, hint: str) -> ConflictProblem:
    """Say that a migration was begun and not ended."""
    return ConflictProblem(
        "migration-half-applied",
        f"{tool} has begun {name} there and not ended it.",
        hint=hint,
        revision=name,
    )
