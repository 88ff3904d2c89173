"""What every migration tool can be asked, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.runner import StepResult

Look = Callable[[], None]


@dataclass(frozen=True)
class Source:
    """Where a project keeps its migrations, and with which tool."""

    tool: str
    """Its name as its makers write it; `SQL files` where there is none."""
    place: Path
    """Its configuration, or the folder of the files."""

    def relative(self, folder: Path) -> str:
        """Give the place as seen from the project's folder."""
        inside = self.place.is_relative_to(folder)
        return str(self.place.relative_to(folder)) if inside else str(self.place)


class Migrator(Protocol):
    """A tool, opened on one database."""

    @property
    def source(self) -> Source:
        """Where the migrations stand."""

    @property
    def own_tables(self) -> tuple[str, ...]:
        """The tool's own tables, as Postgres prints their names."""

    @property
    def revisions(self) -> Sequence[Revision]:
        """All migrations, oldest first."""

    @property
    def applied(self) -> Sequence[str]:
        """The ids that the database has seen, oldest first."""

    def files(self, revision: str) -> tuple[Path, ...]:
        """Give the files that a migration is made of."""

    def prepare(self) -> None:
        """Make the tool's own tables where they are missing."""

    def step(self, direction: str, revision: str, limit: float, look: Look) -> StepResult:
        """Run one migration `up` or `down`, calling `look` meanwhile; give up at the limit."""

    def stamp(self, revision: str, limit: float) -> StepResult:
        """Record a migration as applied without running it."""

    def close(self) -> None:
        """End whatever still runs."""


def pending(migrator: Migrator) -> list[Revision]:
    """Give the migrations that the database has not seen, oldest first."""
    seen = set(migrator.applied)
    return [revision for revision in migrator.revisions if revision.id not in seen]
