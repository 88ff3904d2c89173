"""Open a project's Alembic on a database, and prove first that it is that one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.problem import NotFoundProblem, Problem
from neondba.core.secret import Secret
from neondba.project.alembic_runner.environment import names_in, schemes_to_try, variables
from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.locate import alembic_config, interpreters
from neondba.project.alembic_runner.runner import Failure, Runner, Verified, new_key

if TYPE_CHECKING:
    from neondba.postgres.connect import Connection


@dataclass(frozen=True)
class OpenAlembic:
    """A project's Alembic, ready to run on the branch."""

    runner: Runner
    config: Path
    python: Path
    revisions: list[Revision]
    """All revisions, oldest first."""
    verified: Verified

    @property
    def pending(self) -> list[Revision]:
        """The revisions that the database has not seen."""
        applied = self.seen(self.verified.heads)
        return [revision for revision in self.revisions if revision.id not in applied]

    @property
    def version_table(self) -> str:
        """Alembic's own table, as Postgres prints its name."""
        return f"{self.verified.version_schema or 'public'}.{self.verified.version_table}"

    def seen(self, heads: Iterable[str]) -> set[str]:
        """Give the revisions that a database with these heads has seen."""
        by_id = {revision.id: revision for revision in self.revisions}
        found: set[str] = set()
        waiting = list(heads)
        while waiting:
            revision = by_id.get(waiting.pop())
            if revision is not None and revision.id not in found:
                found.add(revision.id)
                waiting += revision.before
        return found


@contextmanager
def open_alembic(
    folder: Path,
    direct: Secret,
    session: Connection,
    *,
    config: str | None = None,
    python: str | None = None,
) -> Iterator[OpenAlembic]:
    """Start the project's Alembic; an advisory lock marks the database meanwhile.

    Raises:
        Problem: no configuration, no Alembic, a broken history, or a connection to another database.
    """
    found = alembic_config(folder, config)
    key = new_key()
    # neondba: ignore[NDB214] a direct session: it holds the lock while Alembic looks for it in its own
    session.execute("select pg_advisory_lock(%s)", [key])
    try:
        with ExitStack() as stack:
            yield _first_that_works(stack, folder, direct, found, python, key)
    finally:
        if not session.closed and not session.broken:
            session.execute("select pg_advisory_unlock(%s)", [key])


def _first_that_works(
    stack: ExitStack, folder: Path, direct: Secret, config: Path, python: str | None, key: int
) -> OpenAlembic:
    names = names_in(folder)
    interpreter: Path | None = None
    refused: Problem | None = None
    for scheme in schemes_to_try(names):
        environment = variables(names, direct, scheme)
        tried = [interpreter] if interpreter else interpreters(config, folder, python)
        runner, interpreter = _with_alembic(tried, config, folder, environment)
        try:
            revisions = runner.history()
            verified = runner.verify(key)
        except BaseException:
            runner.close()
            raise
        if isinstance(verified, Verified):
            stack.callback(runner.close)
            return OpenAlembic(runner, config, interpreter, revisions, verified)
        runner.close()
        refused = refused or runner.unusable(verified)
        if not _driver_trouble(verified):
            break
    assert refused is not None
    raise refused


def _with_alembic(
    tried: list[Path], config: Path, folder: Path, environment: dict[str, Secret]
) -> tuple[Runner, Path]:
    for python in tried:
        runner = Runner(python, config, folder, environment)
        try:
            if runner.start():
                return runner, python
        except BaseException:
            runner.close()
            raise
        runner.close()
    listed = ", ".join(str(path) for path in tried)
    raise NotFoundProblem(
        "alembic-not-installed",
        f"Alembic is not installed in {listed}.",
        hint="Install the project's requirements, or name its interpreter: --python .venv/bin/python",
        tried=[str(path) for path in tried],
    )


def _driver_trouble(failure: Failure) -> bool:
    """See whether another driver in the connection string may help."""
    if failure.module:
        return failure.module.split(".")[0] in ("psycopg2", "psycopg", "asyncpg", "pg8000")
    said = failure.said.lower()
    return (
        "async" in said
        or "greenlet" in said
        or "plugin" in said
        or "unexpected keyword" in said
        or failure.kind in ("NoSuchModuleError", "MissingGreenlet")
    )
