"""Roles that random schemas grant to, and a way to build and change schemas."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.statement import Script

Build = Callable[..., Schema]


@pytest.fixture(scope="session")
def roles(server: Secret) -> None:
    with connect(server) as session:
        for role in ("ddl_reader", '"ddl Wríter"'):
            session.execute(trusted(f"create role {role}"))


@pytest.fixture
def build(session: Connection) -> Build:
    """Make a schema in the emptied database and read it."""

    def do(*statements: str) -> Schema:
        session.execute("drop owned by current_user cascade")
        for statement in statements:
            session.execute(trusted(statement))
        return schema_of(session)

    return do


@pytest.fixture
def run(session: Connection) -> Callable[[Script], Schema]:
    """Run a script and read what has become of the schema."""

    def do(script: Script) -> Schema:
        for statement in script.statements:
            session.execute(trusted(statement.text))
        session.execute("reset all")
        return schema_of(session)

    return do
