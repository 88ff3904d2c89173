"""Empty databases and a Better Auth stand-in for the example projects."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from running_example import OWNER, BetterAuth, Project

from neondba.postgres.scratch import scratch_server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with scratch_server() as secret:
        url = secret.reveal()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE BYPASSRLS")
        yield url


@pytest.fixture
def project(postgres: str) -> Iterator[Callable[[str], Project]]:
    """Give an example's folder an empty database, as Neon would: its owner bypasses row security."""
    made: list[str] = []

    def make(name: str) -> Project:
        database = name.replace("-", "_")
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database} OWNER {OWNER}")
        made.append(database)
        host = postgres.partition("?")[2]
        return Project(EXAMPLES / name, f"{{driver}}://{{role}}@/{database}?{host}")

    yield make
    with psycopg.connect(postgres, autocommit=True) as connection:
        for database in made:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS taskboard_app")


@pytest.fixture(scope="session")
def better_auth() -> Iterator[BetterAuth]:
    auth = BetterAuth()
    thread = threading.Thread(target=auth.server.serve_forever)
    thread.start()
    yield auth
    auth.server.shutdown()
    thread.join()
    auth.server.server_close()
