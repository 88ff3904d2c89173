"""What a statement keeps in its session, or needs from it, is read off its own grammar."""

from __future__ import annotations

import pytest

from neondba.postgres.session_use import uses

KEEPS = {
    "set search_path to shop": ("setting", "search_path"),
    "SET app.tenant = '7'": ("setting", "app.tenant"),
    "begin; set session_replication_role = replica; commit": ("setting", "session_replication_role"),
    "set session characteristics as transaction read only": ("setting", "session characteristics"),
    "set role writer": ("role", "role"),
    "set session authorization writer": ("role", "session_authorization"),
    "select set_config('app.tenant', $1, false)": ("setting", "app.tenant"),
    "with x as (select pg_catalog.set_config('app.tenant', '1', 'f'::bool)) table x": (
        "setting",
        "app.tenant",
    ),
    "select pg_try_advisory_lock(1) from orders": ("advisory lock", "pg_try_advisory_lock"),
    "listen orders": ("listen", "orders"),
    "create temp table basket (id int)": ("temporary table", "basket"),
    "create temporary table basket as select 1": ("temporary table", "basket"),
    "select 1 into temp basket": ("temporary table", "basket"),
    "create temp view basket as select 1": ("temporary table", "basket"),
    "declare c cursor with hold for select 1": ("held cursor", "c"),
    "prepare pick (int) as select $1": ("prepared statement", "pick"),
    "load 'auto_explain'": ("library", "auto_explain"),
    "reset all": ("reset", "RESET ALL"),
    "discard all": ("reset", "DISCARD ALL"),
}
NEEDS = {
    "execute pick(1)": ("prepared statement", "pick"),
    "deallocate pick": ("prepared statement", "pick"),
    "fetch 10 from c": ("held cursor", "c"),
    "select pg_advisory_unlock($1)": ("advisory lock", "pg_advisory_unlock"),
    "insert into lines values (currval('orders_id_seq'))": ("sequence value", "currval"),
    "select lastval()": ("sequence value", "lastval"),
    "select current_setting('app.tenant', true)": ("setting", "app.tenant"),
    "unlisten orders": ("listen", "orders"),
}
NOTHING = (
    "set local search_path to shop",
    "set transaction isolation level serializable",
    "select set_config('app.tenant', $1, true)",
    "select pg_advisory_xact_lock(1)",
    "create temp table basket (id int) on commit drop",
    "create temp table basket on commit drop as select 1",
    "declare c cursor for select 1",
    "deallocate all",
    "notify orders",
    "show search_path",
    "select 'set search_path to x; listen y'",
    "create function f() returns void language sql as $$select set_config('a.b', '1', false)$$",
    "select pg_advisory_unlock_all(); close all; unlisten *",
    "this is no statement",
    "",
)


@pytest.mark.parametrize("text", KEEPS)
def test_what_stays_in_the_session_is_known(text: str):
    assert [(use.kind, use.name) for use in uses(text) if use.does == "keeps"] == [KEEPS[text]]


@pytest.mark.parametrize("text", NEEDS)
def test_what_needs_the_session_is_known(text: str):
    assert [(use.kind, use.name) for use in uses(text) if use.does == "needs"] == [NEEDS[text]]


@pytest.mark.parametrize("text", NOTHING)
def test_what_ends_with_its_transaction_is_no_state(text: str):
    assert uses(text) == ()


def test_a_parameter_decides_where_it_says_whether_a_setting_is_local():
    assert [use.unless for use in uses("select set_config($1, $2, $3::bool)")] == [3]
