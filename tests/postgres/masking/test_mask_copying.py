"""Rows of every kind of table are copied masked, and the copy is whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from neondba.core.problem import ConflictProblem, RemoteProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Row, connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.masking import finishing, streaming
from neondba.postgres.masking.columns import Column, columns_of, links_of
from neondba.postgres.masking.deciding import Decider
from neondba.postgres.masking.looking import looked_through, samples_of, settle
from neondba.postgres.masking.rules import Rule, read
from neondba.postgres.scratch import neon_like_database

TABLES = """
create type plan as enum ('free', 'pro');
create domain mail as text check (value ~ '^[^@ ]+@[^@ ]+[.][a-z]+$');
create table person (
    id bigint generated always as identity primary key,
    email text not null unique check (email like '%_@_%'),
    work_mail mail,
    full_name varchar(30),
    phone varchar(16) unique,
    plan plan not null default 'free',
    shown text generated always as (full_name || ' <' || email || '>') stored,
    bio text,
    meta jsonb
);
comment on constraint person_phone_key on person is 'as users type it';
create index person_name on person (lower(full_name));
comment on index person_name is 'for search';
create unique index person_lower on person (lower(email));
alter table person enable row level security;
alter table person force row level security;
create policy own on person using (email = current_setting('app.me', true));
create table visit (
    email text references person (email) on update cascade, ip inet, at timestamptz not null, city text
) partition by range (at);
create table visit_old partition of visit for values from ('2000-01-01') to ('2025-01-01');
create table visit_new partition of visit default;
create index on visit (at);
create table parent_note (id serial primary key, note text);
create table child_note (extra text) inherits (parent_note);
create table tree (id int primary key, boss int references tree, contact_email text);
alter table tree add constraint not_yet check (id > 5) not valid;
create table log (id bigserial primary key, what text);
create function record() returns trigger language plpgsql as
$$ begin insert into log (what) values (new.email); return new; end $$;
create trigger record after insert on person for each row execute function record();
create trigger always after insert on person for each row execute function record();
alter table person enable always trigger always;
create trigger never after insert on person for each row execute function record();
alter table person disable trigger never;
create materialized view domains as
select split_part(email, '@', 2) as domain, count(*) from person group by 1;
create materialized view later as select 1 as one with no data;
create view people as select id, email from person;
"""
ROWS = """
insert into person (email, work_mail, full_name, phone, plan, bio, meta)
select 'orig' || i || '@orig.example', 'origw' || i || '@orig.example', 'Orig' || i || ' Origson',
       '+49301' || 100000 + i, case when i % 2 = 0 then 'pro' else 'free' end::plan,
       repeat('orig story ' || i || ' ', i % 900),
       jsonb_build_object('email', 'orig' || i || '@orig.example', 'n', i)
from generate_series(1, 1000) i;
insert into person (email) values ('Orig1@orig.example2');
insert into visit select email, '10.0.0.1', '2020-01-01', 'orig street' from person;
insert into visit select email, '10.0.0.2', '2026-01-01', null from person;
insert into parent_note (note) values ('orig of parent');
insert into child_note (note, extra) values ('orig of child', 'x');
alter table tree drop constraint not_yet;
insert into tree values (1, 2, 'orig@x.de'), (2, 1, null), (3, 3, '');
alter table tree add constraint not_yet check (id > 5) not valid;
refresh materialized view domains;
"""
Copied = Callable[..., tuple[Connection, Connection]]


@pytest.fixture(scope="module")
def copied(server: Secret) -> Iterator[Copied]:
    """Give a database and its masked copy."""
    with ExitStack() as stack:
        made: list[str] = []

        def copy(
            tables: str, rows: str, seed: int = 1, rules: dict[str, Rule] | None = None
        ) -> tuple[Connection, Connection]:
            sides = []
            for side in ("from", "to"):
                made.append(f"copy_{side}_{id(stack)}_{len(made)}")
                sides.append(stack.enter_context(connect(neon_like_database(server, made[-1]))))
            source, target = sides
            for session in sides:
                session.execute(trusted(tables))
            source.execute("set row_security = off")
            source.execute(trusted(rows))
            _copy(source, target, seed, rules or {})
            return source, target

        yield copy


@pytest.fixture(scope="module")
def whole(copied: Copied) -> tuple[Connection, Connection]:
    """A database with everything, and its copy: tests leave them as they are."""
    return copied(TABLES, ROWS)


def _copy(source: Connection, target: Connection, seed: int, rules: dict[str, Rule]) -> None:
    for session in (source, target):
        settle(session)
    columns = columns_of(source)
    samples = samples_of(source, columns)
    decided = Decider(columns, links_of(source), samples, rules).decide()
    decisions, documents = looked_through(source, columns, decided, samples)
    before = schema_of(source)
    streaming.equip(source, streaming.new_key(random.Random(seed).choice))
    stream = streaming.Stream(source, target, {each.column: each for each in decisions}, documents)
    tables: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        tables.setdefault(column.of, []).append(column)
    with finishing.taken_apart(target):
        for beside in tables.values():
            stream.copy(beside, lambda _rows: None)
    finishing.sequences_like(source, target)
    assert finishing.refreshed(source, target) == []
    finishing.same_schema(before, schema_of(target), ())


def rows(session: Connection, query: str) -> list[Row]:
    return session.execute(trusted(query)).fetchall()


def test_tables_of_all_kinds_arrive_whole_and_masked(whole: tuple[Connection, Connection]) -> None:
    source, target = whole
    for table in ("person", "visit_old", "visit_new", "parent_note", "child_note", "tree", "log", "domains"):
        query = f"select count(*) as n from public.{table}"
        assert rows(target, query) == rows(source, query), table
    seen = ("person", "visit", "log", "parent_note", "child_note", "tree", "domains")
    everything = rows(
        target, " union all ".join(f"select t::text as row from public.{name} t" for name in seen)
    )
    assert not [row for row in everything if "orig" in row["row"].lower()]
    assert rows(target, "select relispopulated as p from pg_class where relname = 'later'") == [{"p": False}]


def test_joins_and_uniqueness_hold(whole: tuple[Connection, Connection]) -> None:
    source, target = whole
    join = "select count(*) as n from public.person p join public.visit v using (email) where p.id <= 500"
    assert rows(target, join) == rows(source, join)
    inside = "select count(*) as n from public.person where meta ->> 'email' = email"
    assert rows(target, inside) == rows(source, inside) == [{"n": 1000}]
    (count,) = rows(
        target, "select count(distinct lower(email)) as e, count(distinct phone) as p from public.person"
    )
    assert count == {"e": 1001, "p": 1000}
    nulls = "select count(full_name) as f, count(phone) as p, count(bio) as b from public.person"
    assert rows(target, nulls) == rows(source, nulls)
    lengths = "select id, length(bio) as b, length(phone) as p, plan from public.person order by id"
    assert rows(target, lengths) == rows(source, lengths)


def test_sequences_and_triggers_go_on_where_they_were(whole: tuple[Connection, Connection]) -> None:
    _, target = whole
    with target.transaction(force_rollback=True):
        target.execute("set local search_path = public")
        (made,) = rows(target, "insert into person (email) values ('new@x.de') returning id")
        said = [row["what"] for row in rows(target, "select what from log order by id")]
    assert made["id"] == 1002
    assert said[-2:] == ["new@x.de"] * 2
    assert len(said) == 2 * 1001 + 2


def test_two_runs_give_different_values_and_one_gives_the_same(
    copied: Copied, whole: tuple[Connection, Connection]
) -> None:
    query = "select email, full_name, phone from public.person where id <= 100"
    first, again, other = (whole[1], *(copied(TABLES, ROWS, seed)[1] for seed in (1, 2)))
    assert rows(first, query) == rows(again, query)
    emails = {row["email"] for row in rows(first, query)}
    assert not emails & {row["email"] for row in rows(other, query)}


def test_rows_that_a_constraint_refuses_are_a_problem_without_the_row(copied: Copied) -> None:
    with pytest.raises(ConflictProblem, match=r"public\.users do not fit house") as caught:
        copied(
            "create table users (email text constraint house check (email like '%@ours.com'))",
            "insert into users values ('secret-one@ours.com')",
        )
    assert "secret-one" not in repr(caught.value.report())
    rules = read("x", {"public.users.email": {"value": "all@ours.com"}})
    _, target = copied(
        "create table users (email text constraint house check (email like '%@ours.com'))",
        "insert into users values ('secret-one@ours.com')",
        rules=rules,
    )
    assert rows(target, "select email from public.users") == [{"email": "all@ours.com"}]


def test_rows_that_an_index_refuses_are_a_problem_too(copied: Copied) -> None:
    with pytest.raises(ConflictProblem, match=r"public\.users do not fit only_one"):
        copied(
            "create table users (email varchar(14)); create unique index only_one on users (email)",
            "insert into users select i || '@x.com' from generate_series(1, 5000) i",
        )


def test_a_table_of_a_role_one_cannot_become_is_named(server: Secret, url: Secret) -> None:
    name = url.reveal().partition("@/")[2].partition("?")[0]
    with connect(Secret(server.reveal().replace("/postgres?", f"/{name}?"))) as boss, connect(url) as session:
        boss.execute("create role somebody_else")
        session.execute("create table mine (id int primary key)")
        session.execute("create table theirs (id int references mine)")
        boss.execute("alter table theirs owner to somebody_else")
        with (
            pytest.raises(ConflictProblem, match=r"public\.theirs belongs to role somebody_else"),
            finishing.taken_apart(session),
        ):
            pass


def test_ways_to_other_servers_are_taken_off_and_the_rest_is_told(server: Secret, url: Secret) -> None:
    owner, _, rest = url.reveal().removeprefix("postgresql://").partition("@/")
    name = rest.partition("?")[0]
    with connect(Secret(server.reveal().replace("/postgres?", f"/{name}?"))) as boss, connect(url) as session:
        boss.execute("create extension postgres_fdw")
        boss.execute("create server elsewhere foreign data wrapper postgres_fdw")
        boss.execute(trusted(f"alter server elsewhere owner to {owner}"))
        boss.execute(trusted(f"create user mapping for {owner} server elsewhere options (user 'x')"))
        session.execute("create foreign table far (id int) server elsewhere")
        session.execute("select lo_create(0)")
        session.execute("create table defaults (who text default 'boss@corp.com')")
        notes = finishing.notes_on(session, session)
        assert notes == [
            "1 large objects were not copied.",
            "1 foreign tables: their rows stay where they are.",
            "The way to server elsewhere was taken off: it leads to rows that are not masked.",
        ]
        assert rows(session, "select 1 from pg_user_mappings") == []
        (note,) = finishing.named_in(schema_of(session))
    assert note == (
        "The schema itself holds e-mail addresses, and is not masked: column public.defaults.who."
    )


def test_rows_that_cannot_be_read_are_a_problem(session: Connection) -> None:
    session.execute("create table gone (id int)")
    columns = columns_of(session)
    decided = Decider(columns, [], {}, {}).decide()
    stream = streaming.Stream(session, session, {each.column: each for each in decided}, {})
    session.execute("drop table gone")
    with pytest.raises(RemoteProblem, match=r"public\.gone could not be read or copied: UndefinedTable"):
        stream.copy(columns, lambda _rows: None)
