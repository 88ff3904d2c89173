"""What a script says of its statements, and what it spares the rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema, changes
from neondba.postgres.ddl.script import script
from neondba.postgres.ddl.statement import Script
from neondba.postgres.ddl.text import as_text, text_difference

Build = Callable[..., Schema]
Run = Callable[[Script], Schema]


def texts(found: Script) -> list[str]:
    return [each.text for each in found.statements]


def test_dropped_columns_and_tables_destroy_and_the_rest_does_not(build: Build) -> None:
    after = build("create table kept (id integer)")
    before = build(
        "create table kept (id integer, gone text, g integer generated always as (id * 2) stored)",
        "create table lost (id integer)",
        "create view seen as select 1",
    )
    found = script(before, after)
    assert [each.text for each in found.destroys] == [
        "ALTER TABLE public.kept DROP COLUMN gone",
        "DROP TABLE public.lost",
    ]


def test_a_new_enum_label_comes_first_and_waits_for_a_commit(build: Build) -> None:
    after = build(
        "create type mood as enum ('bad', 'fair', 'good')",
        "create table days (m mood default 'fair')",
    )
    before = build("create type mood as enum ('bad', 'good')", "create table days (m mood)")
    first, *rest = script(before, after).statements
    assert first.text == "ALTER TYPE public.mood ADD VALUE 'fair' BEFORE 'good'"
    assert not first.in_transaction
    assert all(each.in_transaction for each in rest)


def test_rows_survive_a_label_that_goes(build: Build, run: Run, session: Connection) -> None:
    after = build(
        "create type mood as enum ('good', 'bad')",
        "create table days (m mood default 'good' check (m is not null), all_moods mood[])",
        "create view good_days as select m from days where m = 'good'",
    )
    before = build(
        "create type mood as enum ('bad', 'fair', 'good')",
        "create table days (m mood default 'bad' check (m is not null), all_moods mood[])",
        "create view good_days as select m from days where m = 'bad'",
        "insert into days values ('good', '{good,bad}')",
    )
    assert changes(run(script(before, after)), after) == []
    assert session.execute("select m::text, all_moods::text from days").fetchall() == [
        {"m": "good", "all_moods": "{good,bad}"}
    ]


def test_a_type_changes_under_views_policies_and_keys(build: Build, run: Run, session: Connection) -> None:
    def made(kind: str) -> list[str]:
        return [
            f"create table owners (id {kind} primary key)",
            f"create table pets (id {kind} references owners, name text)",
            "create view pet_ids as select id from pets",
            "create materialized view counted as select count(*) as n, id from pet_ids group by id",
            "create unique index on counted (id)",
            "create policy own on pets using (id is not null)",
        ]

    after = build(*made("bigint"))
    before = build(*made("integer"), "insert into owners values (1)", "insert into pets values (1, 'Rex')")
    found = script(before, after)
    assert {each.object for each in found.statements if each.rewrites} == {
        "column public.owners.id",
        "column public.pets.id",
    }
    assert changes(run(found), after) == []
    assert session.execute("select id, name from pets").fetchall() == [{"id": 1, "name": "Rex"}]


def test_a_wider_varchar_rewrites_nothing(build: Build) -> None:
    after = build("create table t (a varchar(40), b text)")
    before = build("create table t (a varchar(20), b varchar(9))")
    assert [each.rewrites for each in script(before, after).statements] == [False, False]


def test_partitions_move_with_their_rows(build: Build, run: Run, session: Connection) -> None:
    parent = "create table events (id integer, at date, primary key (id, at)) partition by range (at)"
    after = build(
        parent,
        "create table events_24 (at date not null, id integer not null)",
        "create table events_25 partition of events for values from ('2025-01-01') to ('2026-01-01')",
    )
    before = build(
        parent,
        "create table events_24 partition of events for values from ('2024-01-01') to ('2025-01-01')",
        "create table events_25 partition of events for values from ('2025-01-01') to ('2025-07-01')",
        "insert into events values (1, '2024-05-05'), (2, '2025-02-02')",
    )
    found = script(before, after)
    assert found.destroys == ()
    assert changes(run(found), after) == []
    assert session.execute("select id from events").fetchall() == [{"id": 2}]
    assert session.execute("select id from events_24").fetchall() == [{"id": 1}]


def test_a_function_may_name_a_table_that_comes_later(build: Build, run: Run) -> None:
    after = build(
        "create table things (id integer)",
        "create function all_things() returns bigint language sql as 'select count(*) from things'",
        "alter table things add n bigint default all_things()",
    )
    before = build()
    assert changes(run(script(before, after)), after) == []


def test_default_privileges_do_not_leak_into_new_tables(roles: None, build: Build, run: Run) -> None:
    rule = "alter default privileges in schema public grant select on tables to ddl_reader"
    after = build(rule, "create table closed (id integer)", "revoke all on closed from ddl_reader")
    before = build(rule)
    assert changes(run(script(before, after)), after) == []


def test_a_column_order_is_told_of_as_what_no_statement_changes(build: Build) -> None:
    after = build("create table t (b integer, a integer)")
    before = build("create table t (a integer, b integer)")
    found = script(before, after)
    assert found.statements == ()
    assert found.notes == ("The columns of public.t stand in another order; no statement can change that.",)


def test_what_is_left_out_is_named(build: Build) -> None:
    schema = build(
        "create function same(integer, integer) returns boolean language sql as 'select $1 = $2'",
        "create operator === (leftarg = integer, rightarg = integer, function = same)",
    )
    assert script(schema, schema).notes == ("Not compared: 1 operator.",)


def test_event_triggers_and_owners_are_read_by_who_may(server: Secret, roles: None) -> None:
    with connect(server) as session:
        before = schema_of(session, owners=True)
        session.execute("create schema audit authorization ddl_reader")
        session.execute("create function audit.note() returns event_trigger language plpgsql as 'begin end'")
        session.execute("create event trigger noted on ddl_command_end execute function audit.note()")
        session.execute("alter event trigger noted disable")
        after = schema_of(session, owners=True)
        for statement in script(after, before).statements:
            session.execute(trusted(statement.text))
        assert changes(schema_of(session, owners=True), before) == []
        for statement in script(before, after).statements:
            session.execute(trusted(statement.text))
        assert changes(schema_of(session, owners=True), after) == []
        for statement in script(after, before).statements:
            session.execute(trusted(statement.text))


def test_the_fingerprint_moves_with_the_schema_only(build: Build, session: Connection) -> None:
    first = build("create table t (id integer)")
    session.execute("insert into t values (1)")
    assert schema_of(session).fingerprint == first.fingerprint
    session.execute("alter table t alter id set default 4")
    assert schema_of(session).fingerprint != first.fingerprint


@pytest.mark.parametrize("name", ['"a""b"', '"it\'s; drop table x --"', '"Ünï\ncode"', '"select"'])
def test_odd_names_go_there_and_back(build: Build, run: Run, name: str) -> None:
    after = build(
        f"create schema {name}",
        f"create type {name}.{name} as enum ('x', 'y''z')",
        f"create table {name}.t ({name} {name}.{name} default 'x', constraint {name} unique ({name}))",
        f"comment on column {name}.t.{name} is 'it''s \\ {{odd}}'",
    )
    before = build()
    assert changes(run(script(before, after)), after) == []
    assert changes(run(script(after, before)), before) == []


def test_the_text_shows_each_object_with_what_hangs_on_it(build: Build) -> None:
    after = build("create table t (id integer primary key, name text)", "create index by_name on t (name)")
    before = build("create table t (id integer primary key)")
    assert "-- table public.t\nCREATE TABLE public.t (\n    id integer" in as_text(after)
    lines = text_difference(before, after).splitlines()
    assert lines[:2] == ["--- a/table public.t", "+++ b/table public.t"]
    assert "+CREATE INDEX by_name ON public.t USING btree (name);" in lines
