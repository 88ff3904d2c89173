"""Every query file says what it needs and is accepted by the real server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.queries import names, query


@pytest.fixture(scope="module")
def anywhere(server: Secret) -> Iterator[Connection]:
    with connect(server) as session:
        # Its view is there without the library that fills it.
        session.execute("create extension if not exists pg_stat_statements")
        yield session


@pytest.mark.parametrize("name", names())
def test_the_server_prepares_each_query(anywhere: Connection, name: str) -> None:
    session = anywhere
    session.execute(trusted(f"prepare asked as {query(name)}"))
    columns = session.execute(
        "select cardinality(result_types) as n from pg_prepared_statements where name = 'asked'"
    ).fetchone()
    session.execute("deallocate asked")
    assert columns is not None
    assert columns["n"] >= 2


@pytest.mark.parametrize("name", names())
def test_each_query_says_what_it_needs(name: str) -> None:
    first = query(name).splitlines()[0]
    assert re.match(r"-- Postgres \d+\+; privileges: \w.+\.", first), first
