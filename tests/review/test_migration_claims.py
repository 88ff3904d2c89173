"""What the migration rules say about locks and rewrites, shown on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.scratch import scratch_server

TABLES = """
create table users (id bigint primary key, email text);
create table items (id bigint primary key, owner_id bigint, title varchar(100), amount int, at timestamp);
insert into users select n, 'u' || n from generate_series(1, 50) n;
insert into items select n, n, 't', n, now() from generate_series(1, 50) n;
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Connection]:
    with scratch_server() as url, connect(url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def tables(session: Connection) -> None:
    session.execute(trusted("drop table if exists items, users cascade"))
    session.execute(trusted(TABLES))
    session.execute(trusted("set time zone 'UTC'"))


def locks(session: Connection, statement: str, table: str = "items") -> set[str]:
    with session.transaction(force_rollback=True):
        session.execute(trusted(statement))
        rows = session.execute(
            "select mode from pg_locks where relation = %s::regclass and pid = pg_backend_pid()", (table,)
        )
        return {row["mode"] for row in rows}


def rewrites(session: Connection, statement: str) -> bool:
    def file() -> object:
        row = session.execute("select pg_relation_filenode('items'::regclass) as node").fetchone()
        assert row is not None
        return row["node"]

    before = file()
    session.execute(trusted(statement))
    return file() != before


def test_a_plain_index_keeps_writers_out_and_readers_in(session: Connection) -> None:
    assert "ShareLock" in locks(session, "create index on items (title)")


def test_set_not_null_keeps_everyone_out(session: Connection) -> None:
    assert "AccessExclusiveLock" in locks(session, "alter table items alter column owner_id set not null")


def test_a_foreign_key_keeps_writers_of_both_tables_out(session: Connection) -> None:
    add = "alter table items add constraint f foreign key (owner_id) references users"
    assert "ShareRowExclusiveLock" in locks(session, add)
    assert "ShareRowExclusiveLock" in locks(session, add, "users")


def test_validating_lets_readers_and_writers_in(session: Connection) -> None:
    session.execute(trusted("alter table items add constraint c check (owner_id is not null) not valid"))
    assert locks(session, "alter table items validate constraint c") <= {
        "ShareUpdateExclusiveLock", "AccessShareLock"
    }  # fmt: skip


@pytest.mark.parametrize("what", ["check (amount > 0)", "unique (title, id)"])
def test_checks_and_unique_constraints_keep_everyone_out(session: Connection, what: str) -> None:
    assert "AccessExclusiveLock" in locks(session, f"alter table items add {what}")


@pytest.mark.parametrize(
    ("statement", "rewritten"),
    [
        ("alter table items alter column amount type bigint", True),
        ("alter table items alter column title type varchar(50)", True),
        ("alter table items alter column title type varchar(200)", False),
        ("alter table items alter column title type text", False),
        ("alter table items alter column at type timestamptz", False),
        ("alter table items alter column at type timestamptz using at at time zone 'UTC'", True),
        ("alter table items add column plan text not null default 'free'", False),
        ("alter table items add column nr bigint generated always as identity", True),
    ],
)
def test_changes_rewrite_as_the_rules_say(session: Connection, statement: str, rewritten: bool) -> None:
    assert rewrites(session, statement) is rewritten


def test_a_required_column_without_default_fails_on_rows(session: Connection) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        session.execute(trusted("alter table items add column plan text not null"))


def test_long_text_does_not_fit_into_a_unique_index(session: Connection) -> None:
    session.execute(trusted("create unique index on users (email)"))
    noise = "select string_agg(md5(n::text), '') from generate_series(1, 200) n"
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        session.execute(trusted(f"insert into users values (999, ({noise}))"))


def test_a_default_of_utc_wall_time_shifts_in_other_zones(session: Connection) -> None:
    session.execute(trusted("set time zone 'America/New_York'"))
    row = session.execute("select timezone('utc', now())::timestamptz - now() as shift").fetchone()
    assert row is not None
    assert row["shift"] >= timedelta(hours=4)
