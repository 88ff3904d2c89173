"""A real PostgreSQL, and small Alembic projects made on the spot."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.migrations.rehearsal import rehearse_at
from neondba.migrations.results import Rehearsal
from neondba.postgres.connect import Connection, connect
from neondba.postgres.scratch import neon_like_database, scratch_server

_numbers = count()

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine({url}, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
FROM_ENVIRONMENT = 'os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)'
CREATE = ("create table item (id int primary key, name text)", "drop table item")


@pytest.fixture(scope="session")
def server() -> Iterator[Secret]:
    with scratch_server() as url:
        yield url


@pytest.fixture
def url(server: Secret) -> Secret:
    return neon_like_database(server, f"db{next(_numbers)}")


@pytest.fixture
def session(url: Secret) -> Iterator[Connection]:
    with connect(url) as opened:
        yield opened


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path / "state", step_limit=20))


class Project:
    """A folder with an Alembic history; a revision is a pair of SQL texts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions = folder / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
        self.env(FROM_ENVIRONMENT)

    def env(self, url: str) -> None:
        """Write env.py; the text is the expression for the address."""
        (self.folder / "migrations" / "env.py").write_text(ENV.format(url=url))

    def add(self, up: str, down: str, *, after: str | None = "", name: str | None = None) -> str:
        """Add a revision after the last one; texts that start with `py:` are Python."""
        number = len(list(self.versions.glob("*.py"))) + 1
        revision = name or f"r{number}"
        parent = (f"r{number - 1}" if number > 1 else None) if after == "" else after
        body = f'"""Step {number}"""\nfrom alembic import op\n'
        body += f"revision = {revision!r}\ndown_revision = {parent!r}\n"
        body += f"def upgrade():\n{_lines(up)}\n\ndef downgrade():\n{_lines(down)}\n"
        (self.versions / f"{revision}.py").write_text(body)
        return revision


def _lines(text: str) -> str:
    code = text[3:].strip("\n") if text.startswith("py:") else f"op.execute({text!r})"
    return textwrap.indent(textwrap.dedent(code), "    ")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.fixture
def rehearse(ctx: Context, url: Secret, project: Project) -> Callable[..., Rehearsal]:
    def run(*revisions: tuple[str, str]) -> Rehearsal:
        for up, down in revisions:
            project.add(up, down)
        return rehearse_at(ctx, project.folder, url)

    return run
