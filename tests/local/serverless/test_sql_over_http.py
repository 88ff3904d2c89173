"""The official driver's queries over HTTP."""

from __future__ import annotations

import http.client
import json
from urllib.parse import quote

import psycopg
import pytest
from driver import Driver, by_host, by_option, parts, wait_for

TEXT_ONLY = {"Neon_Raw_Text_Output": "true", "Neon_Array_Mode": "true"}


@pytest.mark.shows("serverless.http")
def test_a_tagged_template_gives_rows_with_their_types(driver: Driver) -> None:
    rows = driver.run(
        "return sql`select ${7}::int as a, ${'x'} as b, ${null}::text as c, ${[1, 2]}::int[] as d,"
        " ${{ k: [1] }}::jsonb as e, ${true}::bool as f, 9007199254740993 as g`"
    )
    assert rows[0] == {
        "a": 7,
        "b": "x",
        "c": None,
        "d": [1, 2],
        "e": {"k": [1]},
        "f": True,
        "g": "9007199254740993",
    }


def test_full_results_describe_command_and_columns(driver: Driver) -> None:
    said = driver.run(
        "await sql`create table if not exists item (id int primary key, name varchar(9))`;"
        "return neon(url, { fullResults: true, arrayMode: true })"
        "`insert into item values (1, 'a'), (2, 'b') returning name, id`"
    )
    assert (said["command"], said["rowCount"], said["rowAsArray"]) == ("INSERT", 2, True)
    assert said["rows"] == [["a", 1], ["b", 2]]
    name, number = said["fields"]
    assert (name["name"], name["dataTypeID"], name["dataTypeModifier"], name["format"]) == (
        "name",
        1043,
        13,
        "text",
    )
    assert (number["tableID"], number["columnID"], number["dataTypeSize"]) == (name["tableID"], 1, 4)


def test_a_refused_statement_comes_with_everything_the_server_said(driver: Driver) -> None:
    said = driver.run(
        "await sql`create table pair (id int constraint only_one primary key)`;"
        "await sql`insert into pair values (1)`;"
        "return failure(() => sql`insert into pair values (1)`)"
    )
    assert (said["name"], said["code"], said["severity"]) == ("NeonDbError", "23505", "ERROR")
    assert (said["table"], said["constraint"], said["schema"]) == ("pair", "only_one", "public")
    assert "already exists" in said["detail"]
    position = driver.run("return failure(() => sql`select nothing from nowhere`)")["position"]
    assert position == "21"


@pytest.mark.shows("serverless.http")
def test_a_transaction_is_kept_whole_or_not_at_all(driver: Driver) -> None:
    said = driver.run(
        "await sql`create table ledger (n int check (n > 0))`;"
        "const kept = await sql.transaction([sql`insert into ledger values (1) returning n`,"
        " sql`select count(*)::int as c from ledger`], { isolationLevel: 'RepeatableRead' });"
        "const lost = await failure(() => sql.transaction([sql`insert into ledger values (2)`,"
        " sql`insert into ledger values (-1)`]));"
        "return { kept, lost: lost.code, left: await sql`select n from ledger` }"
    )
    assert said == {"kept": [[{"n": 1}], [{"c": 1}]], "lost": "23514", "left": [{"n": 1}]}


def test_a_transaction_runs_as_its_headers_say_and_they_come_back(driver: Driver) -> None:
    said = driver.run(
        "return sql.transaction([sql`show transaction_isolation`, sql`show transaction_read_only`,"
        " sql`show transaction_deferrable`],"
        " { isolationLevel: 'Serializable', readOnly: true, deferrable: true, arrayMode: true })"
    )
    assert said == [[["serializable"]], [["on"]], [["on"]]]
    status, _, headers = driver.ask(
        {"queries": [{"query": "select 1"}]},
        Neon_Batch_Isolation_Level="ReadCommitted",
        Neon_Batch_Read_Only="true",
        Neon_Batch_Deferrable="false",
    )
    assert (status, headers["neon-batch-isolation-level"]) == (200, "ReadCommitted")
    assert headers["neon-batch-read-only"] == "true"
    assert "neon-batch-deferrable" not in headers


@pytest.mark.shows("serverless.sessions")
def test_nothing_that_a_statement_set_reaches_the_next(driver: Driver) -> None:
    said = driver.run(
        "await sql`set search_path = nowhere`; await sql`create temp table mine (n int)`;"
        "await sql`begin`; return [await sql`show search_path`, await failure(() => sql`table mine`)]"
    )
    assert said[0] == [{"search_path": '"$user", public'}]
    assert said[1]["code"] == "42P01"


def test_drizzle_speaks_through_the_driver(driver: Driver) -> None:
    said = driver.run(
        "const { drizzle } = require('drizzle-orm/neon-http');"
        "const { pgTable, integer, text } = require('drizzle-orm/pg-core');"
        "await sql`create table fruit (id int, name text)`;"
        "const fruit = pgTable('fruit', { id: integer('id'), name: text('name') });"
        "const db = drizzle(sql);"
        "await db.insert(fruit).values([{ id: 1, name: 'fig' }, { id: 2, name: null }]);"
        "return db.select().from(fruit).orderBy(fruit.id)"
    )
    assert said == [{"id": 1, "name": "fig"}, {"id": 2, "name": None}]


@pytest.mark.shows("serverless.conversion")
def test_without_raw_text_the_values_have_jsons_kinds(driver: Driver) -> None:
    query = """select 1::int2 as a, 1.5::float4 as b, 'NaN'::float8 as c, true as d, 5::int8 as e, 2.50 as f,
        '{1,NULL,3}'::int[] as g, '[0:1]={a,"b ""\\\\\\" ,}"}'::text[] as h, '{{t},{f}}'::bool[] as i,
        '{"k": 1.50}'::json as j, '{}'::int[] as k, '{"{\\"n\\": [1]}"}'::jsonb[] as l, null as m"""
    query = query.replace('"b ""\\\\\\" ,}"', '"b \\" ,}"')
    _, said, _ = driver.ask({"query": query})
    assert said["rows"] == [
        {
            "a": 1,
            "b": 1.5,
            "c": "NaN",
            "d": True,
            "e": "5",
            "f": "2.50",
            "g": [1, None, 3],
            "h": ["a", 'b " ,}'],
            "i": [[True], [False]],
            "j": {"k": 1.5},
            "k": [],
            "l": [{"n": [1]}],
            "m": None,
        }
    ]


def test_parameters_may_be_json_of_any_kind(driver: Driver) -> None:
    query = "select $1::bool, $2::float8, $3::jsonb, $4::text[], $5::jsonb[], $6::int[]"
    values = [True, 1.5, {"a": "ü"}, ['x"y', None, "{}"], [{"a": 1}], [[1, 2], [3, 4]]]
    _, said, _ = driver.ask({"query": query, "params": values}, Neon_Array_Mode="true")
    assert said["rows"] == [values]


def test_one_query_of_a_batch_may_choose_its_own_form(driver: Driver) -> None:
    queries = [{"query": "select 1 as n", "arrayMode": True}, {"query": "select 1 as n"}]
    _, said, _ = driver.ask({"queries": queries}, Neon_Raw_Text_Output="true")
    assert [each["rows"] for each in said["results"]] == [[["1"]], [{"n": "1"}]]
    assert [each["rowAsArray"] for each in said["results"]] == [True, False]


@pytest.mark.parametrize(
    ("query", "command", "count"),
    [
        ("create table made (n int)", "CREATE", None),
        ("insert into made values (1), (2)", "INSERT", 2),
        ("update made set n = 3", "UPDATE", 2),
        ("select 1 where false", "SELECT", 0),
        ("", "", None),
    ],
)
def test_the_tag_gives_command_and_count(driver: Driver, query: str, command: str, count: int | None) -> None:
    status, said, _ = driver.ask({"query": query}, **TEXT_ONLY)
    assert (status, said["command"], said["rowCount"]) == (200, command, count)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "could not parse"),
        (b'"text"', "must hold a query"),
        ({"query": 1}, "must hold a query"),
        ({"query": "select 1", "params": {}}, "params must be a list"),
        ({"query": "select $1", "params": ["a\0b"]}, "invalid byte sequence"),
        ({"query": "select '\ud800'"}, "invalid byte sequence"),
        ({"query": "select 1; select 2"}, "multiple commands"),
        ({"query": "copy pg_class to stdout"}, "COPY is not supported"),
        (
            {"queries": [{"query": "create temp table c (n int)"}, {"query": "copy c from stdin"}]},
            "COPY is not",
        ),
        ({"query": "select repeat('x', 1048576) from generate_series(1, 65)"}, "response is too large"),
    ],
)
@pytest.mark.shows("serverless.limits")
def test_what_cannot_be_answered_says_why(driver: Driver, body: object, says: str) -> None:
    status, said, _ = driver.ask(body)
    assert status == (507 if "large" in says else 400)
    assert says in said["message"]
    assert driver.ask({"query": "select 1"})[0] == 200


@pytest.mark.shows("serverless.limits")
def test_a_request_that_is_too_large_is_refused(driver: Driver) -> None:
    status, said, _ = driver.ask(b"x" * ((64 << 20) + 1))
    assert (status, said["message"]) == (413, "request is too large (max is 67108864 bytes)")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: "", "invalid header: neon-connection-string"),
        (lambda url: url.replace("postgresql", "mysql"), "incorrect scheme"),
        (lambda url: url.replace("neondb?", "?"), "missing database name"),
        (lambda url: url.replace("endpoint%3Dep-", "endpoint%3Dep-x"), "endpoint could not be found"),
        (lambda url: url.replace("npg_", "npx_"), "password authentication failed for user 'neondb_owner'"),
        (lambda url: url.replace("neondb_owner", "cloud_admin"), "failed for user 'cloud_admin'"),
        (lambda url: url.replace("neondb?", "nodb?"), 'database "nodb" does not exist'),
    ],
)  # fmt: skip
@pytest.mark.shows("serverless.login")
def test_a_wrong_connection_string_says_what_is_wrong(driver: Driver, change, says: str) -> None:
    url = change(by_option(driver.url))
    status, said, _ = driver.ask({"query": "select 1"}, Neon_Connection_String=url)
    assert status == 400
    assert says in said["message"]


def test_the_endpoint_may_stand_in_host_option_or_password(driver: Driver) -> None:
    login, label = parts(driver.url)
    role, _, password = login.partition(":")
    for url in (
        by_option(driver.url),
        by_host(driver.url),
        f"postgres://{login}@{label}-pooler.c-2.us-east-2.aws.neon.tech/neondb?sslmode=require",
        f"postgres://{role}:{quote(f'endpoint={label};{password}')}@localhost/neondb",
    ):
        assert driver.ask({"query": "select 1"}, Neon_Connection_String=url)[0] == 200


@pytest.mark.shows("serverless.login")
def test_a_token_is_not_taken_for_a_password(driver: Driver) -> None:
    status, said, _ = driver.ask({"query": "select 1"}, Authorization="Bearer any")
    assert status == 400
    assert "not available" in said["message"]


@pytest.mark.shows("serverless.origin")
def test_a_browser_page_may_ask_and_a_rebound_name_may_not(driver: Driver) -> None:
    status, _, headers = driver.ask(None, method="OPTIONS")
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert "Neon-Connection-String" in headers["access-control-allow-headers"]
    assert driver.ask({"query": "select 1"})[2]["access-control-allow-origin"] == "*"
    assert driver.ask({"query": "select 1/0"})[2]["access-control-allow-origin"] == "*"
    assert driver.ask({"query": "select 1"}, Host="api.localhost:80")[0] == 200
    assert driver.ask({"query": "select 1"}, Host="evil.example:80")[0] == 403


def test_a_statement_ends_when_its_client_has_gone(driver: Driver) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", driver.port, timeout=60)
    body = json.dumps({"query": "select pg_sleep(3600)"})
    connection.request("POST", "/sql", body, {"Neon-Connection-String": driver.url})
    count = "select count(*) from pg_stat_activity where query = 'select pg_sleep(3600)'"
    with psycopg.connect(driver.url, autocommit=True) as watcher:
        wait_for(lambda: watcher.execute(count + " and state = 'active'").fetchone() == (1,))
        connection.close()
        wait_for(lambda: watcher.execute(count + " and state = 'active'").fetchone() == (0,))


def test_many_at_once_are_all_answered(driver: Driver) -> None:
    said = driver.run(
        "const all = await Promise.all(Array.from({ length: 60 }, (_, n) => sql`select ${n}::int as n`));"
        "return all.map(rows => rows[0].n)"
    )
    assert said == list(range(60))
