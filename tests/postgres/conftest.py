"""A real PostgreSQL for the session, a fresh database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect
from neondba.postgres.scratch import neon_like_database, scratch_server

_numbers = count()


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
