"""The tables of an application under proof: from migrations, a command, its start, or its models."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neondba.access.application_environment import Given
from neondba.access.application_process import Running
from neondba.access.application_start import Starter
from neondba.core.problem import NotFoundProblem, Problem, RemoteProblem
from neondba.core.secret import MASK, Secret
from neondba.postgres.connect import Connection, Refused, trusted
from neondba.postgres.shapes import Shape, shapes
from neondba.project.migrated import apply_migrations

USUAL: Final = "public.alembic_version"
_LAST: Final = 12
_LIMIT: Final = 180
_MODELS: Final = """
import gc, importlib, json, sys
module = importlib.import_module(sys.argv[1])
getattr(module, sys.argv[2], None)
from sqlalchemy import MetaData, create_mock_engine
said = []
note = lambda s, *a, **k: said.append(str(s.compile(dialect=engine.dialect)))
engine = create_mock_engine("postgresql://", note)
for one in [o for o in gc.get_objects() if isinstance(o, MetaData) and o.tables]:
    one.create_all(engine, checkfirst=False)
print("\\n" + json.dumps(said))
"""


@dataclass
class Tables:
    """Makes the tables, the way that the project does."""

    starter: Starter
    session: Connection
    direct: Secret
    fresh: bool
    """True on an empty database of our own."""
    notes: list[str] = field(default_factory=list)

    def made(self, copy: Path, provider: str) -> str | None:
        """Prepare or migrate; give the name of Alembic's own table.

        Raises:
            RemoteProblem: the command that prepares fails.
            Problem: a migration fails on a branch that holds more than this proof.
        """
        asked = self.starter.asked
        if asked.prepare is not None:
            failed = self._run(copy, provider, shlex.split(asked.prepare))
            if failed is not None:
                raise RemoteProblem(
                    "application-not-prepared",
                    f"{asked.prepare} did not succeed. It said last:\n{failed}",
                    hint="Run it by hand on an empty database, repair it, then repeat the proof.",
                )
            return USUAL
        folder = self.starter.folder
        try:
            return apply_migrations(
                self.starter.ctx, folder, self.direct, self.session, asked.config, asked.python
            )
        except NotFoundProblem as problem:
            if problem.code == "schema-missing":
                return USUAL
            self._again(copy, provider, problem)
        except Problem as problem:
            self._again(copy, provider, problem)
        return USUAL

    def _again(self, copy: Path, provider: str, problem: Problem) -> None:
        """Run Alembic with all that the application is given: its settings may ask for more."""
        from neondba.project.alembic_runner.locate import alembic_config

        python = self.starter.python
        config = alembic_config(copy, self.starter.asked.config)
        command = [str(python), "-m", "alembic", "upgrade", "head"]
        if python is not None and self._run(config.parent, provider, command, copy) is None:
            return
        if not self.fresh:
            raise problem
        self.notes.append(
            f"The migrations do not run, so the tables are those of the models: {problem.message}"
        )
        self._emptied()

    def _emptied(self) -> None:
        for shape in reversed(shapes(self.session).values()):
            with contextlib.suppress(Refused):
                self.session.execute(trusted(f"drop table if exists {shape.name} cascade"))

    def _run(
        self, place: Path, provider: str, command: Sequence[str], copy: Path | None = None
    ) -> str | None:
        """Run a command with each driver in turn; give the end of what the last one said."""
        whole = copy or place
        base = place if copy is not None else whole / self.starter.found.base
        said = ""
        for scheme in self.starter.schemes:
            given = self.starter.given(whole, self.direct, provider, scheme)
            status, said = run(command, base, given)
            if status == 0:
                return None
            if not self.starter.is_of_the_driver(said):
                break
        return "\n".join(said.strip().splitlines()[-_LAST:])

    @contextmanager
    def running(
        self, copy: Path, url: Secret, provider: str, version_table: str | None
    ) -> Iterator[tuple[Running, Given, dict[str, Shape]]]:
        """Start the application; where there are no tables even then, make those of its models first.

        Raises:
            NotFoundProblem: there are none after all.
            Problem: the application does not start.
        """
        with ExitStack() as stack:
            trouble: Problem | None = None
            try:
                running, given = stack.enter_context(self.starter.running(copy, url, provider))
            except Problem as problem:
                trouble = problem
            found = self._found(version_table)
            if not found and self._of_models(copy, provider):
                found = self._found(version_table)
                self.notes.append(
                    "The tables were made from the models: no migration and no start makes them."
                )
                stack.close()
                trouble = None
                running, given = stack.enter_context(self.starter.running(copy, url, provider))
            if trouble is not None:
                raise trouble
            if not found:
                raise NotFoundProblem(
                    "schema-missing",
                    f"{self.starter.folder} has no Alembic migrations, and its application makes no tables.",
                    hint="Give the command that makes them: --prepare 'python init_db.py', or --project NAME",
                )
            yield running, given, found

    def _found(self, version_table: str | None) -> dict[str, Shape]:
        found = shapes(self.session)
        found.pop(version_table or USUAL, None)
        return found

    def _of_models(self, copy: Path, provider: str) -> bool:
        """Ask SQLAlchemy for the statements that make the models' tables, and send them."""
        python = self.starter.python
        if python is None:
            return False
        module, _, name = self.starter.found.target.partition(":")
        for scheme in self.starter.schemes:
            given = self.starter.given(copy, self.direct, provider, scheme)
            command = [str(python), "-c", _MODELS, module, name.removesuffix("()")]
            status, said = run(command, copy / self.starter.found.base, given)
            if status == 0:
                statements = json.loads(said.strip().splitlines()[-1])
                for statement in statements:
                    with contextlib.suppress(Refused):
                        self.session.execute(trusted(statement))
                return bool(statements)
        return False


def run(command: Sequence[str], place: Path, given: Given) -> tuple[int, str]:
    """Run a command to its end with what the application is given; hide its secrets."""
    environment: Mapping[str, str] = {name: value.reveal() for name, value in given.values.items()}
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return 1, f"It did not end within {_LIMIT} s."
    except OSError as error:
        return 1, f"{command[0]} cannot be run: {error.strerror}"
    said = done.stderr + done.stdout
    for secret in given.hidden:
        said = said.replace(secret, MASK)
    return done.returncode, said
