"""Alembic, run in the project's own Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neondba.core.secret import Secret
from neondba.migrations.tools.migrator import Look, Source
from neondba.postgres.connect import Connection, trusted
from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.runner import StepResult
from neondba.project.alembic_runner.session import OpenAlembic, open_alembic


@dataclass(frozen=True)
class AlembicMigrator:
    """A project's Alembic, connected to one database."""

    alembic: OpenAlembic

    @property
    def source(self) -> Source:
        """Where the migrations stand."""
        return Source("Alembic", self.alembic.config)

    @property
    def own_tables(self) -> tuple[str, ...]:
        """Alembic's own table."""
        return (self.alembic.version_table,)

    @property
    def revisions(self) -> list[Revision]:
        """All revisions, oldest first."""
        return self.alembic.revisions

    @property
    def applied(self) -> list[str]:
        """The ids that the database has seen, oldest first."""
        waiting = {revision.id for revision in self.alembic.pending}
        return [revision.id for revision in self.alembic.revisions if revision.id not in waiting]

    def files(self, revision: str) -> tuple[Path, ...]:
        """Give the file that a revision is made of."""
        return tuple(Path(each.file) for each in self.alembic.revisions if each.id == revision)

    def prepare(self) -> None:
        """Leave it to Alembic, which makes its table with the first revision."""

    def step(
        self, direction: str, revision: str, limit: float, look: Look, lock_timeout: float = 0.0
    ) -> StepResult:
        """Run one revision `up` or `down`, calling `look` meanwhile; give up at the limit."""
        return self.alembic.runner.step(direction, revision, limit, look, lock_timeout)

    def stamp(self, revision: str, limit: float) -> StepResult:
        """Record a revision as the current one without running it."""
        return self.alembic.runner.stamp(revision, limit)

    def recorded(self, session: Connection) -> set[str]:
        """Ask the database which revisions it has seen by now."""
        there = session.execute("select to_regclass(%s) as oid", [self.alembic.version_table]).fetchone()
        if not there or there["oid"] is None:
            return set()
        rows = session.execute(trusted(f"select version_num from {self.alembic.version_table}"))
        return self.alembic.seen(str(row["version_num"]) for row in rows)

    def halt(self, session: Connection) -> None:
        """End the process and its session on the server, so that nothing of it goes on."""
        self.close()
        if self.alembic.runner.session is not None:
            session.execute("select pg_terminate_backend(%s, 5000)", [self.alembic.runner.session])

    def close(self) -> None:
        """End the process of the project's Alembic."""
        self.alembic.runner.close()


@contextmanager
def opened(
    source: Source, folder: Path, direct: Secret, session: Connection, python: str | None
) -> Iterator[AlembicMigrator]:
    """Start the project's Alembic on a database, and prove first that it is that one.

    Raises:
        Problem: no Alembic, a broken history, or a connection to another database.
    """
    with open_alembic(folder, direct, session, config=source.relative(folder), python=python) as alembic:
        yield AlembicMigrator(alembic)
