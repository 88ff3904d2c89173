"""Which statements only read: by their text, and by what the catalog says of their functions."""

from __future__ import annotations

import pytest

from neondba.postgres.connect import Connection
from neondba.postgres.reading import VOLATILE_AND_HARMLESS, Call, Table, calls_refused, read

READS = [
    "select 1",
    "  select 1 ; -- the end",
    "table users",
    "values (1), (2)",
    "show statement_timeout",
    "select 'delete from users; drop table users'",
    'select $$;$$, "odd;name" from t',
    "/* update users set x = 1 */ select count(*) from users",
    "with recent as (select * from orders where at > now() - interval '1 day') select sum(total) from recent",
    "select a.id, (select max(b.at) from b where b.a = a.id) from a left join lateral (select 1) c on true",
    "explain select * from users",
    "explain delete from users",
    "explain (analyze false) update users set name = 'x'",
    "explain (analyze, buffers) select * from users",
    "select name ilike '%a%', age between 1 and 2, x is distinct from y from users order by 1 limit 5",
    "select relname, pg_total_relation_size(oid) from pg_class where relkind = 'r'",
    "select date_trunc('day', at), count(*) filter (where paid) from orders group by 1",
    "select row_number() over (partition by owner order by at) from orders",
    "select has_table_privilege('users', 'SELECT'), pg_get_indexdef(indexrelid) from pg_index",
    "select data->>'a', data @> '{}' from t where data ? 'k'",
    "select extract(year from now()), gen_random_uuid(), random(), clock_timestamp()",
    "select load_file, pg_read_file from audit",
    "select rolname, pg_authid from pg_roles join app.pg_shadow on true",
]
WRITES = [
    "",
    "-- nothing",
    "select 1; select 2",
    "select 1; drop table users",
    "insert into t values (1)",
    "update t set a = 1",
    "delete from t",
    "merge into t using s on t.a = s.a when matched then delete",
    "truncate t",
    "drop table t",
    "create table t as select 1",
    "select * into copy from users",
    "with gone as (delete from users returning *) select * from gone",
    "select * from (with x as (update t set a = 1 returning a) select * from x) y",
    "select * from users for update",
    "select * from (select * from users for share nowait) locked",
    "explain analyze delete from users",
    "explain (analyze) insert into t values (1)",
    "explain (analyze true) create table x as select 1",
    "explain execute waiting",
    "begin",
    "commit",
    "set role postgres",
    "set transaction read write",
    "reset role",
    "copy users to stdout",
    "copy users to program 'cat'",
    "do $$ begin perform 1; end $$",
    "call change()",
    "prepare p as select 1",
    "execute p",
    "declare c cursor for select 1",
    "listen news",
    "notify news",
    "lock table users",
    "vacuum users",
    "analyze users",
    "refresh materialized view v",
    "grant select on users to public",
    "create extension hstore",
    "alter system set work_mem = '1GB'",
    "select * frmo users",
    "select 1\x00; drop table users",
    "explain (analyze 1.5) delete from users",
    "select 'unterminated",
]
DOES_MORE = [
    "select pg_sleep(5)",
    "select pg_read_file('/etc/passwd')",
    "select * from pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select pg_terminate_backend(1)",
    "select set_config('transaction_read_only', 'off', true)",
    "select nextval('ids')",
    "select pg_advisory_lock(1)",
    "select pg_notify('a', 'b')",
    "select query_to_xml('select pg_sleep(9)', true, true, '')",
    "select pg_catalog.pg_reload_conf()",
    "explain select * from pg_switch_wal()",
    "select * from users where (select pg_try_advisory_lock(1))",
    "select table_to_xml('pg_authid', true, false, '')",
    "select no_such_function(1)",
    "select mine(1)",
    "select other.mine(1)",
    "select * from crosstab('select pg_sleep(9)')",
]


@pytest.mark.parametrize("sql", READS)
def test_what_reads_passes_both_gates(session: Connection, sql: str) -> None:
    found = read(sql)
    assert found.refused is None
    assert calls_refused(session, found.calls) == []


@pytest.mark.parametrize("sql", WRITES)
def test_what_does_more_than_read_is_refused_by_its_text(sql: str) -> None:
    assert read(sql).refused


@pytest.mark.parametrize(
    "sql",
    [
        "select rolpassword from pg_authid",
        "table pg_catalog.pg_shadow",
        "with pg_authid as (select * from pg_authid) select * from pg_authid",
        "select 1 where exists (select from pg_user_mapping)",
        "explain analyze select subconninfo from pg_subscription",
    ],
)
def test_catalogs_that_hold_passwords_are_not_read(sql: str) -> None:
    assert "holds passwords" in (read(sql).refused or "")


@pytest.mark.parametrize("sql", DOES_MORE)
def test_a_function_that_may_do_more_is_refused_by_the_catalog(session: Connection, sql: str) -> None:
    session.execute("create schema other")
    session.execute("create function mine(int) returns int language sql immutable as 'select 1'")
    session.execute("create function other.mine(int) returns int language plpgsql as 'begin return 1; end'")
    found = read(sql)
    assert found.refused is None
    assert calls_refused(session, found.calls)


def test_a_function_of_the_project_passes_once_it_is_declared_to_read(session: Connection) -> None:
    session.execute("create function total(int) returns int language sql stable as 'select 1'")
    assert calls_refused(session, read("select total(1)").calls) == []


def test_every_function_let_through_by_name_is_one_that_the_catalog_calls_volatile(
    session: Connection,
) -> None:
    rows = session.execute(
        "select distinct proname as name from pg_proc where provolatile = 'v'"
        " and pronamespace = 'pg_catalog'::regnamespace"
    ).fetchall()
    assert {row["name"] for row in rows} >= VOLATILE_AND_HARMLESS


def test_tables_and_calls_are_named_without_the_statements_own_names() -> None:
    found = read("with u as (select count(*) from app.users) select * from u join orders on true")
    assert found.tables == {Table("app", "users"), Table(None, "orders")}
    assert found.calls == {Call(None, "count")}


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select $1", "$1 stands for a value"),
        ("explain select * from users where id = $2", "$2 stands for a value"),
        ("set role app", "SET or RESET does more than read"),
        ("begin", "BEGIN, COMMIT or ROLLBACK does more than read"),
        ("create index on users (id)", "CREATE INDEX does more than read"),
        ("drop table users", "DROP does more than read"),
    ],
)
def test_a_refusal_is_said_in_the_words_of_sql(sql: str, said: str) -> None:
    assert said in (read(sql).refused or "")


def test_a_statement_nested_beyond_reason_is_refused() -> None:
    deep = "select " + "(" * 20_000 + "1" + ")" * 20_000
    assert read(deep).refused
