"""Migrations that are SQL files, whatever tool they were written for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neondba.core.problem import ConflictProblem, NotFoundProblem
from neondba.core.secret import Secret
from neondba.migrations.tools.convention import Convention
from neondba.migrations.tools.migrator import Look, Source
from neondba.migrations.tools.sql_migration import SqlMigration, parts
from neondba.migrations.tools.sql_session import SqlSession
from neondba.postgres.applied import Part
from neondba.postgres.connect import Connection, trusted
from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.runner import StepResult


class SqlMigrator:
    """SQL files of one convention, opened on one database."""

    def __init__(self, source: Source, convention: Convention, direct: Secret, session: Connection) -> None:
        self.source = source
        self._convention = convention
        self._session = session
        self._worker = SqlSession(direct)
        self._known = convention.read(source.place)
        require_readable(self._known)
        self._by_id = {migration.id: migration for migration in self._known}

    @property
    def own_tables(self) -> tuple[str, ...]:
        """The tool's own table."""
        return (self._convention.table,)

    @property
    def revisions(self) -> list[Revision]:
        """All migrations, oldest first."""
        return [each.revision(self._before(each.id)) for each in self._known]

    @property
    def applied(self) -> list[str]:
        """The ids that the database has seen, oldest first."""
        return self._convention.applied(self._session, self._known)

    def files(self, revision: str) -> tuple[Path, ...]:
        """Give the files that a migration is made of."""
        return self._by_id[revision].files

    def prepare(self) -> None:
        """Make the tool's own table where it is missing."""
        for text in self._convention.create:
            self._session.execute(trusted(text))

    def parts(self, direction: str, revision: str) -> tuple[Part, ...]:
        """Lay a migration out in transactions, with what the tool records.

        Raises:
            NotFoundProblem: it has no way back.
        """
        migration = self._by_id[revision]
        if direction == "up":
            return parts(revision, migration.up, self._convention.up(migration))
        if migration.down is None:
            raise NotFoundProblem(
                "no-way-back",
                f"{migration.files[0].name} has no way back.",
                hint="Write one, rehearse it, and then revert.",
                revision=revision,
            )
        return parts(revision, migration.down, self._convention.down(migration, self._before(revision)))

    def step(self, direction: str, revision: str, limit: float, look: Look) -> StepResult:
        """Run one migration `up` or `down`, calling `look` meanwhile; give up at the limit."""
        return self._worker.run(self.parts(direction, revision), limit, look)

    def stamp(self, revision: str, limit: float) -> StepResult:
        """Record a migration as applied without running it."""
        if revision in self.applied:
            return StepResult(seconds=0.0)
        record = self._convention.up(self._by_id[revision])
        return self._worker.run([Part(name=revision, statements=tuple(record))], limit, lambda: None)

    def close(self) -> None:
        """End the session that runs the files."""
        self._worker.close()

    def _before(self, revision: str) -> str | None:
        ids = [each.id for each in self._known]
        place = ids.index(revision)
        return ids[place - 1] if place else None


@contextmanager
def opened(
    source: Source, convention: Convention, direct: Secret, session: Connection
) -> Iterator[SqlMigrator]:
    """Read the files and open a session that runs them.

    Raises:
        ConflictProblem: a file cannot be read.
    """
    migrator = SqlMigrator(source, convention, direct, session)
    try:
        yield migrator
    finally:
        migrator.close()


def require_readable(known: list[SqlMigration]) -> None:
    """Refuse files that PostgreSQL's own grammar does not read, before anything runs.

    Raises:
        ConflictProblem: one has a mistake; it is named with its line.
    """
    for migration in known:
        scripts = [migration.up, *([migration.down] if migration.down else [])]
        for statement in (each for script in scripts for each in script.statements):
            if statement.error:
                line = statement.error_line or statement.line
                raise ConflictProblem(
                    "migration-unloadable",
                    f"{migration.files[0].name}:{line} is no SQL that PostgreSQL reads: {statement.error}.",
                    hint="Correct the statement.",
                    files=[str(migration.files[0])],
                )
