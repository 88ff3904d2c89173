"""Rows compared by key while they stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.row_difference import find_table, key_of, keyed_rows, only_on_one_side, row_difference
from neondba.postgres.scratch import neon_like_database


@pytest.fixture
def other(server: Secret, request: pytest.FixtureRequest) -> Iterator[Connection]:
    name = f"other{abs(hash(request.node.name)) % 10**8}"
    with connect(neon_like_database(server, name)) as opened:
        yield opened


def make(session: Connection, *statements: str) -> None:
    for statement in statements:
        session.execute(trusted(statement))


def test_rows_of_any_key_are_paired(session: Connection, other: Connection) -> None:
    make(session, "create table t (a text, b integer, v numeric, primary key (a, b))")
    make(other, "create table t (a text, b integer, v numeric, extra text, primary key (a, b))")
    make(session, "insert into t values ('é', 10, 1.50), ('z', 9, 2), ('\"', 1, 0.1), ('same', 1, null)")
    make(other, "insert into t values ('é', 10, 1.5), ('z', 10, 2), ('\"', 1, 0.1), ('same', 1, null)")
    schemas = schema_of(session), schema_of(other)
    table = find_table("t", *schemas)
    key, without = key_of(table, *schemas), only_on_one_side(table, *schemas)
    found = row_difference(
        table,
        key,
        keyed_rows(session, table, key, without),
        keyed_rows(other, table, key, without),
        limit=10,
        not_compared=without,
    )
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert found.not_compared == ("extra",)
    changed = next(row for row in found.rows if row.before and row.after)
    assert changed.columns == ["v"]
    assert (changed.before or {})["v"] == "1.50"


def test_many_rows_are_compared_in_little_memory(session: Connection, other: Connection) -> None:
    for side in (session, other):
        make(side, "create table big (id integer primary key, v text)")
        make(side, "insert into big select n, repeat('x', 200) from generate_series(1, 30000) n")
    make(other, "update big set v = 'y' where id % 10000 = 0")
    schemas = schema_of(session), schema_of(other)
    key = key_of("public.big", *schemas)
    rows = (keyed_rows(session, "public.big", key), keyed_rows(other, "public.big", key))
    found = row_difference("public.big", key, *rows, limit=1)
    assert (found.changed, len(found.rows)) == (3, 1)


def test_a_unique_key_over_nullable_columns_does_not_do(session: Connection) -> None:
    make(
        session,
        "create table t (a integer unique, b integer not null unique)",
        "create table u (a integer unique)",
    )
    schema = schema_of(session)
    assert key_of("public.t", schema) == ("b",)
    with pytest.raises(ArgumentProblem, match="no primary key"):
        key_of("public.u", schema)


def test_rows_that_policies_hide_are_no_difference_but_an_error(
    session: Connection, other: Connection
) -> None:
    make(session, "create table t (id integer primary key)", "create policy none on t using (false)")
    make(session, "alter table t enable row level security", "insert into t values (1)")
    assert len(list(keyed_rows(session, "public.t", ("id",)))) == 1
