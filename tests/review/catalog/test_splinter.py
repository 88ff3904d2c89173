"""What splinter, the database linter of Supabase, looks for: a case of our own for each lint that applies.

`bench/splinter.py` runs splinter's own test SQL; these cases are written from what it looks for. Lints that
do not apply here, because they are about that platform:

- 0002: views over auth.users, the user table of that platform; views and materialized views in general are
  0010 and 0016.
- 0012: a page of documentation about anonymous sign-in; there is no SQL.
- 0019: queues of pgmq behind that platform's API.
- 0020: table bloat; splinter has no test for it. Ours is NDB810, whose page has one.
- 0025: buckets of that platform's file storage.
- 0026, 0027: tables that pg_graphql shows; only that platform serves it.

Where splinter asks whether a schema is one of that platform's API, we ask whether a role of users holds the
privilege. Two of its cases are no faults, which the last two tests show.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from review_bench import Bench

USERS = "create role anon; create role authenticated;"
NOTES = "create table notes (id bigint primary key, user_id text not null); "
SECURED = NOTES + "alter table notes enable row level security; "
WHO = "(select current_setting('app.user'))"


@dataclass(frozen=True)
class Lint:
    """A fault that a lint is about, and its repair."""

    number: str
    rule: str
    fault: str
    objects: set[str]
    repair: str
    superuser: bool = False
    days: float | None = None


LINTS = [
    Lint(
        "0001",
        "NDB801",
        "create table teams (a int, b int, primary key (a, b)); "
        "create table seats (id int primary key, a int, b int, c int references seats (id), "
        "constraint in_team foreign key (a, b) references teams);",
        {"public.seats.c", "public.seats.in_team"},
        "create index on seats (a, b, id); create index on seats (c);",
    ),
    Lint(
        "0003",
        "NDB806",
        SECURED + "create policy own on notes for delete using (user_id = current_setting( 'app.user' ));",
        {"public.notes.own"},
        f"alter policy own on notes using (user_id = {WHO});",
    ),
    Lint(
        "0004",
        "NDB740",
        'create table "Loose Ends" (id int not null);',
        {'public."Loose Ends"'},
        'alter table "Loose Ends" add primary key (id);',
    ),
    Lint(
        "0005",
        "NDB804",
        "create table pages (id int primary key, slug text unique, views int); "
        "create index pages_views on pages (views); select count(*) from pages;",
        {"public.pages_views"},
        "drop index pages_views;",
        days=30,
    ),
    Lint(
        "0006",
        "NDB807",
        SECURED
        + "create policy a on notes for update using (id > 0); create policy b on notes using (id > 1);",
        {"public.notes.a"},
        "alter policy a on notes rename to c; drop policy c on notes; "
        "create policy c on notes as restrictive for update using (id > 0);",
    ),
    Lint(
        "0007",
        "NDB440",
        NOTES + "create policy own on notes using (true);",
        {"public.notes"},
        "alter table notes enable row level security;",
    ),
    Lint(
        "0008",
        "NDB441",
        USERS + SECURED + "grant select on notes to public;",
        {"public.notes"},
        "create policy nobody on notes for select using (false);",
    ),
    Lint(
        "0009",
        "NDB802",
        NOTES + "create index one on notes (user_id); create index two on notes (user_id); "
        "create index three on notes (user_id);",
        {"public.two", "public.three"},
        "drop index two; drop index three;",
    ),
    Lint(
        "0010",
        "NDB448",
        USERS + "create view numbers as select 1 as one; grant select on numbers to anon;",
        {"public.numbers"},
        "create or replace view numbers with (security_invoker = true) as select 1 as one;",
    ),
    Lint(
        "0011",
        "NDB450",
        "create function one() returns int language sql security definer as 'select 1';",
        {"public.one()"},
        "alter function one() set search_path = pg_catalog;",
    ),
    Lint(
        "0013",
        "NDB442",
        USERS + "create schema inner_things; create table inner_things.a (id int primary key); "
        "create table b (id int primary key); grant select on inner_things.a, b to anon;",
        {"public.b"},
        "alter table b enable row level security;",
    ),
    Lint(
        "0014",
        "NDB747",
        "create extension citext;",
        {"public"},
        "drop extension citext; create schema extensions; create extension citext schema extensions;",
    ),
    Lint(
        "0015",
        "NDB445",
        NOTES + "create policy staff on notes for insert with check "
        "((current_setting('request.jwt.claims')::json ->> 'user_metadata') is not null); "
        "create policy fine on notes for select using "
        "((current_setting('request.jwt.claims')::json ->> 'sub') = user_id);",
        {"public.notes.staff"},
        "drop policy staff on notes;",
    ),
    Lint(
        "0016",
        "NDB451",
        USERS + "create materialized view sums as select 1 as one; grant select on sums to public;",
        {"public.sums"},
        "revoke select on sums from public;",
    ),
    Lint(
        "0017",
        "NDB452",
        USERS + "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw; "
        "create foreign table away (id int) server far; grant select on away to anon;",
        {"public.away"},
        "revoke select on away from anon;",
        superuser=True,
    ),
    Lint(
        "0018",
        "NDB746",
        "create table odd (id int primary key, a regclass, b regtype, c regconfig, d regproc[]);",
        {"public.odd.c", "public.odd.d"},
        "alter table odd drop column c, drop column d;",
    ),
    Lint(
        "0021",
        "NDB745",
        "create schema auth; create table auth.users (id uuid primary key, phone_code text unique); "
        "create table cards (id uuid primary key references auth.users, code text references auth.users "
        "(phone_code));",
        {"public.cards.code"},
        "alter table cards drop column code;",
    ),
    Lint(
        "0022",
        "NDB748",
        "create extension pageinspect version '1.9';",
        {"extension.pageinspect"},
        "update pg_extension set extversion = 'unheard-of' where extname = 'pageinspect';",
        superuser=True,
    ),
    Lint(
        "0023",
        "NDB443",
        USERS + "create table cards (id int primary key, credit_card text, cvv text); "
        "create table posts (id int primary key, title text); grant select on cards, posts to authenticated;",
        {"public.cards"},
        "alter table cards enable row level security;",
    ),
    Lint(
        "0024",
        "NDB444",
        USERS + SECURED + "create policy a on notes for delete to anon using (true); "
        "create policy b on notes for insert to authenticated with check (1 = 1); "
        "create policy c on notes for update using (true) with check (true); "
        "create policy d on notes as restrictive for update using (true); "
        "create policy e on notes for select using (true);",
        {"public.notes.a", "public.notes.b", "public.notes.c"},
        "drop policy a on notes; drop policy b on notes; drop policy c on notes;",
    ),
    Lint(
        "0028",
        "NDB449",
        USERS + "create function f(a int) returns int language sql security definer as 'select 1'; "
        "create function f(a int, b text) returns int language sql security definer as 'select 1'; "
        "create function g() returns int language sql as 'select 1';",
        {"public.f(a integer)", "public.f(a integer, b text)"},
        "revoke execute on function f(int), f(int, text) from public;",
    ),
    Lint(
        "0029",
        "NDB449",
        USERS + "create function f() returns int language sql security definer as 'select 1'; "
        "revoke execute on function f() from public; grant execute on function f() to authenticated;",
        {"public.f()"},
        "revoke execute on function f() from authenticated;",
    ),
]


@pytest.mark.parametrize("lint", LINTS, ids=lambda lint: lint.number)
def test_each_fault_is_named_and_each_repair_is_silent(bench: Bench, lint: Lint) -> None:
    bench.execute(lint.fault, superuser=lint.superuser)
    assert bench.objects(lint.rule, days=lint.days) == lint.objects
    bench.execute(lint.repair, superuser=lint.superuser)
    assert bench.objects(lint.rule, days=lint.days) == set()


def test_an_index_in_another_order_serves_a_foreign_key(bench: Bench) -> None:
    bench.execute(
        "create table teams (a int, b int, primary key (a, b)); "
        "create table seats (id int primary key, a int, b int, foreign key (a, b) references teams); "
        "insert into teams select g, g from generate_series(1, 5000) g; "
        "insert into seats select g, g, g from generate_series(1, 5000) g; "
        "create index seats_team on seats (b, a); analyze seats;"
    )
    plan = bench.owner.execute("explain select 1 from only seats x where 7 = a and 7 = b for key share of x")
    assert any("seats_team" in str(row) for row in plan.fetchall())
    assert bench.objects("NDB801") == set()


def test_a_policy_for_insert_without_a_check_lets_no_row_in(bench: Bench) -> None:
    bench.execute(
        USERS + SECURED + "create policy add on notes for insert to anon; grant insert on notes to anon;"
    )
    bench.execute(
        "set role anon; insert into notes values (1, 'a') -- refused\n; reset role;", superuser=True
    )
    assert bench.objects("NDB444") == set()
