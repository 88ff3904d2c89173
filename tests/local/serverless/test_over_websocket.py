"""The official driver's `Client` and `Pool`: PostgreSQL's protocol in WebSocket frames."""

from __future__ import annotations

import http.client

import psycopg
import pytest
from driver import Driver, by_host, wait_for
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SECURE = (
    "neonConfig.useSecureWebSocket = true; neonConfig.wsProxy = () => `localhost:${secure}/v2`;"
    "neonConfig.fetchEndpoint = `https://localhost:${secure}/sql`;"
)


@pytest.mark.parametrize("settings", ["", "neonConfig.pipelineConnect = false;", SECURE])
@pytest.mark.shows("serverless.websocket")
def test_a_client_works_plain_pipelined_and_over_tls(driver: Driver, settings: str) -> None:
    said = driver.run(
        settings + "const client = new Client(url); await client.connect();"
        "await client.query('begin'); await client.query('create temp table t (n int) on commit drop');"
        "await client.query('insert into t values ($1)', [7]);"
        "const { rows } = await client.query('select n from t'); await client.query('commit');"
        "await client.end(); return rows"
    )
    assert said == [{"n": 7}]


def test_a_pool_serves_many_queries_at_once(driver: Driver) -> None:
    said = driver.run(
        "const pool = new Pool({ connectionString: url, max: 4 });"
        "const all = await Promise.all([1, 2, 3, 4, 5, 6].map(n => pool.query('select $1::int as n', [n])));"
        "await pool.end(); return all.map(({ rows }) => rows[0].n)"
    )
    assert said == [1, 2, 3, 4, 5, 6]


def test_a_pool_may_query_over_http_instead(driver: Driver) -> None:
    said = driver.run(
        "neonConfig.poolQueryViaFetch = true; neonConfig.wsProxy = () => '127.0.0.1:1/nobody';"
        "const pool = new Pool({ connectionString: url });"
        "return (await pool.query('select $1::int as n', [7])).rows",
        # It keeps the host of a connection string, not the options.
        url=by_host(driver.url),
    )
    assert said == [{"n": 7}]


@pytest.mark.shows("serverless.http")
def test_http_is_answered_over_tls_too(driver: Driver) -> None:
    assert driver.run(SECURE + "return sql`select 1 as n`") == [{"n": 1}]


def test_a_large_value_goes_both_ways(driver: Driver) -> None:
    said = driver.run(
        "const client = new Client(url); await client.connect();"
        "const { rows } = await client.query('select $1::text as t', ['x'.repeat(20000000)]);"
        "await client.end(); return rows[0].t.length"
    )
    assert said == 20_000_000


def test_a_wrong_password_is_refused(driver: Driver) -> None:
    said = driver.run(
        "const pool = new Pool({ connectionString: url.replace('npg_', 'npx_') });"
        "return failure(() => pool.query('select 1'))"
    )
    assert said["code"] == "28P01"
    assert said["message"] == "password authentication failed for user 'neondb_owner'"


@pytest.mark.shows("serverless.websocket")
def test_the_endpoint_may_stand_in_the_address_that_a_proxy_stands_for(driver: Driver) -> None:
    said = driver.run(
        "neonConfig.wsProxy = (host, given) => `127.0.0.1:${port}/v1?address=${host}:${given}`;"
        "const client = new Client(url); await client.connect();"
        "const { rows } = await client.query('select 1 as n'); await client.end(); return rows",
        url=by_host(driver.url),
    )
    assert said == [{"n": 1}]


@pytest.mark.shows("serverless.origin")
def test_a_rebound_name_is_not_served(driver: Driver) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", driver.port, timeout=60)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "MDEyMzQ1Njc4OWFiY2RlZg=="
    connection.request("GET", "/v2", headers={**upgrade, "Host": "evil.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_text_is_no_protocol(driver: Driver) -> None:
    with connect(f"ws://127.0.0.1:{driver.port}/any/path") as web:
        web.send("select 1")
        with pytest.raises(ConnectionClosed) as caught:
            web.recv(timeout=20)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1003


def test_an_application_that_leaves_ends_its_session(driver: Driver) -> None:
    count = "select count(*) from pg_stat_activity where application_name = 'leaving'"
    driver.run(
        "const client = new Client(url + '&application_name=leaving'); await client.connect();"
        "return (await client.query('show application_name')).rows"
    )
    with psycopg.connect(driver.url, autocommit=True) as watcher:
        wait_for(lambda: watcher.execute(count).fetchone() == (0,))
