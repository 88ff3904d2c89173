"""One PostgreSQL for the session, with a fresh database for each case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count

import pytest
from review_bench import Bench

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.scratch import scratch_server

OWNER = "shop_owner"
NewBench = Callable[[], AbstractContextManager[Bench]]
_numbers = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Secret]:
    with scratch_server(autovacuum_naptime="86400", wal_level="logical") as url, connect(url) as session:
        session.execute(trusted(f"create role {OWNER} login createdb createrole bypassrls"))
        session.execute(trusted(f"grant pg_monitor to {OWNER}"))
        yield url


@pytest.fixture
def new_bench(server: Secret) -> NewBench:
    @contextmanager
    def opened() -> Iterator[Bench]:
        name = f"shop{next(_numbers)}"
        with connect(server) as session:
            before = _roles(session)
            session.execute(trusted(f"create database {name} owner {OWNER}"))
            inside = Secret(server.reveal().replace("@/postgres", f"@/{name}"))
            owner = Secret(inside.reveal().replace("://scratch@", f"://{OWNER}@"))
            try:
                with connect(inside) as superuser, connect(owner) as plain:
                    yield Bench(plain, superuser, name)
            finally:
                session.execute(trusted(f"drop database {name} with (force)"))
                for role in _roles(session) - before:
                    session.execute(trusted(f'drop role "{role}"'))

    return opened


@pytest.fixture
def bench(new_bench: NewBench) -> Iterator[Bench]:
    with new_bench() as one:
        yield one


def _roles(session: Connection) -> set[str]:
    rows = session.execute("select rolname::text as name from pg_roles").fetchall()
    return {str(row["name"]) for row in rows}
