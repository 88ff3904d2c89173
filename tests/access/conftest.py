"""A real PostgreSQL and branches with tables of two users; no Alembic here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from reached import Reached

from neondba.access.isolation import Request, prove_at
from neondba.access.results import IsolationProof
from neondba.core.context import Context
from neondba.core.secret import Secret
from neondba.core.settings import Settings
from neondba.local import launch
from neondba.postgres.connect import connect, trusted
from neondba.postgres.scratch import neon_like_database, scratch_server

_numbers = count()


@pytest.fixture(scope="session")
def desk(prepared: Callable[[], Path]) -> Iterator[Reached]:
    """One project on a local Neon, for all tests of this folder that need one."""
    state = prepared()
    yield Reached(state)
    launch.stop(state)
    shutil.rmtree(state)


@pytest.fixture(scope="session")
def server() -> Iterator[Secret]:
    with scratch_server() as url:
        yield url


@pytest.fixture
def url(server: Secret) -> Secret:
    return neon_like_database(server, f"db{next(_numbers)}")


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(settings=Settings(state_dir=tmp_path / "state", step_limit=20))


@pytest.fixture
def prove(ctx: Context, url: Secret, tmp_path: Path) -> Callable[..., IsolationProof]:
    """Run SQL as the owner, then prove with the tables that are there."""

    def run(statements: str, **asked: object) -> IsolationProof:
        with connect(url) as session:
            session.execute(trusted(statements))
        return prove_at(ctx, tmp_path, url, Request(**asked))  # type: ignore[arg-type]

    return run
