"""Rows are made from what the catalog says, and a table that gets none is named."""

from __future__ import annotations

import pytest

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.contents import contents, losses
from neondba.postgres.seeding import CannotSeedError, Seeder
from neondba.postgres.shapes import shapes

ZOO = """
create type state as enum ('open', 'done');
create domain email as text check (value ~ '^[^@]+@[^@]+$');
create table person (
    id uuid primary key default gen_random_uuid(), mail email unique not null, name varchar(5) not null
);
create table job (
    id serial primary key,
    person_id uuid not null references person,
    parent_id int references job,
    state state not null,
    kind text not null check (kind in ('todo', 'chore')),
    stars int not null check (stars between 3 and 5),
    price numeric(4, 2) not null check (price > 0),
    about text not null check (length(about) >= 8),
    low text not null check (low = lower(low)),
    tags text[] not null, sizes int[] not null, data jsonb not null, raw bytea not null,
    address inet not null, span tstzrange not null, flag bit(3) not null, spot point not null,
    at timestamptz not null, day date not null, hour time not null, took interval not null,
    code char(3) not null, "Odd Name" text not null, doubled int generated always as (stars * 2) stored
);
create table event (day date not null, what text) partition by range (day);
create table event_2024 partition of event for values from ('2024-01-01') to ('2025-01-01');
create table bare (id int generated always as identity primary key);
create table pair (a uuid references person, b int references job, primary key (a, b));
"""


@pytest.fixture
def zoo(session: Connection) -> Connection:
    session.execute(trusted(ZOO))
    return session


def test_every_kind_of_column_gets_rows(zoo: Connection) -> None:
    filled, failed = Seeder(zoo).fill()
    assert failed == []
    assert set(filled) == {"public.person", "public.job", "public.event", "public.bare", "public.pair"}


def test_each_table_gets_full_rows_and_one_with_nulls(zoo: Connection) -> None:
    zoo.execute("create table note (id int primary key, body text)")
    Seeder(zoo).fill()
    bodies = [row["body"] for row in zoo.execute("select body from note order by id")]
    assert len(bodies) == 3
    assert [body is None for body in bodies] == [False, False, True]


def test_a_table_that_accepts_no_row_is_named_with_the_reason(zoo: Connection) -> None:
    zoo.execute("create table never (n int not null check (n > 1 and n < 1))")
    filled, failed = Seeder(zoo).fill()
    assert [f.table for f in failed] == ["public.never"]
    assert "never_n_check" in failed[0].reason
    assert "public.never" not in filled


def test_a_table_below_one_that_accepts_no_row_is_named_too(zoo: Connection) -> None:
    zoo.execute("create table never (id int primary key check (id > 1 and id < 1))")
    zoo.execute("create table child (never_id int not null references never)")
    _, failed = Seeder(zoo).fill()
    assert [f.table for f in failed] == ["public.never", "public.child"]


def test_a_table_with_rows_is_left_as_it_is(zoo: Connection) -> None:
    zoo.execute("insert into bare default values")
    filled, _ = Seeder(zoo).fill()
    assert "public.bare" not in filled
    assert zoo.execute("select count(*) as n from bare").fetchone() == {"n": 1}


def test_fixed_values_are_kept(zoo: Connection) -> None:
    seeder = Seeder(zoo)
    row = seeder.insert(seeder.shapes["public.person"], {"name": "ann"})
    assert row["name"] == "ann"
    with pytest.raises(CannotSeedError):
        seeder.insert(seeder.shapes["public.person"], {"mail": "not an address"})


def test_tables_come_after_those_they_refer_to(zoo: Connection) -> None:
    order = list(shapes(zoo))
    assert order.index("public.person") < order.index("public.job")


def test_lost_values_rows_and_tables_are_counted(zoo: Connection) -> None:
    Seeder(zoo).fill()
    before = contents(zoo, shapes(zoo).values())
    assert losses(before, contents(zoo, shapes(zoo).values())) == []
    zoo.execute("alter table job drop column about")
    zoo.execute("update person set name = 'same'")
    zoo.execute("delete from event where ctid in (select ctid from event limit 1)")
    zoo.execute("drop table bare")
    said = {loss.text for loss in losses(before, contents(zoo, shapes(zoo).values()))}
    assert said == {
        "3 of 3 values of public.job.about are gone",
        "3 of 3 values of public.person.name are no longer what they were",
        "1 of 3 rows of public.event are gone",
        "3 of 3 rows of public.bare are gone",
    }
