"""Transaction pooling, and its hazards, as code meets them behind a -pooler host."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from proxied import ENDPOINT, Running, running

from neondba.local.proxy import messages
from neondba.local.proxy.pooling.settings import Limits
from neondba.postgres.scratch import SUPERUSER

POOLED = f"{ENDPOINT}-pooler"
ONE: Any = 0.009
"""A share of 120 connections that leaves one for each pool: clients must take turns."""


@pytest.fixture(scope="module")
def one(sockets: Path, tmp_path_factory: pytest.TempPathFactory, relay: str) -> Iterator[Running]:
    """A proxy whose pools have one server connection."""
    with running(sockets, tmp_path_factory.mktemp("one"), limits=Limits(share=ONE), relay=relay) as made:
        yield made


@pytest.fixture
def clean(one: Running) -> Iterator[Running]:
    """The same, with a server connection that nobody has left anything on."""
    yield one
    with one.connect(POOLED) as db:
        db.execute("discard all")


@pytest.fixture
def watcher(sockets: Path) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(host=str(sockets), user=SUPERUSER, dbname="shop", autocommit=True) as db:
        yield db


def pid(db: psycopg.Connection[Any]) -> int:
    (found,) = db.execute("select pg_backend_pid()").fetchone() or (0,)
    return int(found)


@pytest.mark.shows("proxy.pooler")
def test_clients_share_a_server_connection_by_turns(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        assert pid(first) == pid(second) == pid(first)


def test_a_transaction_keeps_its_server_connection(proxy: Running) -> None:
    with proxy.connect(POOLED) as first, proxy.connect(POOLED) as second, first.transaction():
        mine = pid(first)
        assert pid(second) != mine
        assert pid(first) == mine


@pytest.mark.shows("proxy.pooler-hazards")
def test_a_setting_leaks_to_whoever_comes_next(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        first.execute("set search_path to secret_place")
        assert second.execute("show search_path").fetchone() == ("secret_place",)


@pytest.mark.shows("proxy.pooler-parameters-kept")
def test_tracked_parameters_stay_with_their_client(clean: Running) -> None:
    with (
        clean.connect(POOLED, application_name="one", options="-c TimeZone=Asia/Tokyo") as first,
        clean.connect(POOLED) as second,
    ):
        second.execute("set datestyle to 'German'")
        for _ in range(2):
            assert first.execute("select current_setting('timezone')").fetchone() == ("Asia/Tokyo",)
            assert first.execute("show application_name").fetchone() == ("one",)
            assert first.execute("show datestyle").fetchone() == ("ISO, MDY",)
            assert second.execute("show application_name").fetchone() == ("pgbouncer",)
            assert second.execute("show datestyle").fetchone() == ("German, DMY",)
        assert first.info.parameter_status("TimeZone") == "Asia/Tokyo"
        assert second.info.parameter_status("DateStyle") == "German, DMY"


def test_an_odd_application_name_is_quoted(clean: Running) -> None:
    odd = "it's \\ odd'; select 1; --"
    with clean.connect(POOLED, application_name=odd) as db:
        assert db.execute("show application_name").fetchone() == (odd,)


def test_a_parameter_that_cannot_be_set_ends_the_client(clean: Running) -> None:
    with clean.connect(POOLED, options="-c TimeZone=No/Where") as db:
        with pytest.raises(psycopg.Error, match="invalid value for parameter"):
            db.execute("select 1")
        assert db.broken


@pytest.mark.shows("proxy.pooler-hazards")
def test_a_temporary_table_is_there_for_others(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        first.execute("create temp table mine as select 1 as x")
        assert second.execute("select x from mine").fetchone() == (1,)


@pytest.mark.shows("proxy.pooler-hazards")
def test_a_session_lock_is_held_by_nobody_in_particular(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        first.execute("select pg_advisory_lock(7)")
        assert second.execute("select pg_try_advisory_lock(7)").fetchone() == (True,)


def test_prepare_in_sql_collides_between_clients(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        first.execute("prepare mine as select 1")
        with pytest.raises(psycopg.errors.DuplicatePreparedStatement):
            second.execute("prepare mine as select 2")


def test_a_listener_hears_nothing_by_itself(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        first.execute("listen news")
        second.execute("notify news, 'hello'")
        assert list(first.notifies(timeout=0.2)) == []


def test_a_cursor_with_hold_is_seen_by_others(clean: Running) -> None:
    with clean.connect(POOLED) as first, clean.connect(POOLED) as second:
        first.execute("declare c cursor with hold for select 42")
        assert second.execute("fetch c").fetchone() == (42,)


def test_statements_prepared_by_the_protocol_follow_their_client(proxy: Running) -> None:
    with proxy.connect(POOLED) as first, proxy.connect(POOLED) as second:
        for _ in range(3):
            with first.transaction():
                # The other one has to use another server connection meanwhile.
                assert second.execute("select %s::int + 1", (1,), prepare=True).fetchone() == (2,)
                assert first.execute("select %s::int + 1", (2,), prepare=True).fetchone() == (3,)
            assert first.execute("select %s::int + 1", (3,), prepare=True).fetchone() == (4,)


@pytest.mark.shows("proxy.pooler")
def test_a_server_connection_keeps_so_many_statements(sockets: Path, tmp_path: Path, relay: str) -> None:
    limits = Limits(share=ONE, max_prepared_statements=3)
    with running(sockets, tmp_path, limits=limits, relay=relay) as proxy, proxy.connect(POOLED) as db:
        for turn in range(3):
            for number in range(6):
                found = db.execute(f"select {number} + %s::int", (turn,), prepare=True).fetchone()
                assert found == (number + turn,)
        (kept,) = db.execute("select count(*) from pg_prepared_statements").fetchone() or (0,)
    assert kept == 3


def test_deallocate_all_is_understood(clean: Running) -> None:
    with clean.connect(POOLED) as db:
        assert db.execute("select %s::int", (1,), prepare=True).fetchone() == (1,)
        db.execute("deallocate all")
        assert db.execute("select %s::int", (2,), prepare=True).fetchone() == (2,)


def test_a_statement_that_does_not_parse_can_be_mended(clean: Running) -> None:
    with clean.connect(POOLED) as db:
        for _ in range(2):
            with pytest.raises(psycopg.errors.UndefinedTable):
                db.execute("select * from not_yet where %s::int = 1", (1,), prepare=True)
        assert db.execute("select %s::int", (2,), prepare=True).fetchone() == (2,)


def test_pipelines_arrive_in_order(clean: Running) -> None:
    with clean.connect(POOLED) as db, db.pipeline() as pipeline:
        cursors = [db.execute("select %s::int", (n,), prepare=n % 2 == 0) for n in range(20)]
        pipeline.sync()
        assert [cursor.fetchone() for cursor in cursors] == [(n,) for n in range(20)]


def fail_in_pipeline(db: psycopg.Connection[Any]) -> None:
    with db.pipeline() as pipeline:
        db.execute("select 1 / %s::int", (0,), prepare=True)
        db.execute("select %s::int", (2,), prepare=True)
        pipeline.sync()


def test_an_error_in_a_pipeline_spoils_only_what_follows(clean: Running) -> None:
    with clean.connect(POOLED) as db:
        with pytest.raises(psycopg.errors.DivisionByZero):
            fail_in_pipeline(db)
        assert db.execute("select %s::int", (3,), prepare=True).fetchone() == (3,)


def test_an_error_in_a_transaction_holds_it_until_rollback(clean: Running) -> None:
    with clean.connect(POOLED) as db:
        db.execute("begin")
        with pytest.raises(psycopg.errors.DivisionByZero):
            db.execute("select 1/0")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            db.execute("select 1")
        db.execute("rollback")
        assert db.execute("select 1").fetchone() == (1,)


def test_a_client_that_leaves_in_a_transaction_is_rolled_back(
    clean: Running, watcher: psycopg.Connection[Any]
) -> None:
    watcher.execute("create table if not exists left_open (x int)")
    watcher.execute("grant all on left_open to app")
    client = clean.connect(POOLED)
    client.execute("begin")
    client.execute("insert into left_open values (1)")
    gone = pid(client)
    client.close()
    with clean.connect(POOLED) as db:
        assert pid(db) != gone
        assert db.execute("select count(*) from left_open").fetchone() == (0,)


def spoil(db: psycopg.Connection[Any]) -> None:
    with db.cursor().copy("copy heap from stdin") as copy:
        copy.write("not a row\n" * 20000)


def test_copy_goes_both_ways(clean: Running) -> None:
    with clean.connect(POOLED) as db:
        for _ in range(2):
            db.execute("drop table if exists heap")
            db.execute("create table heap (n int, line text)")
            with db.cursor().copy("copy heap from stdin") as copy:
                for n in range(2000):
                    copy.write_row((n, "x" * 500))
            with db.cursor().copy("copy heap to stdout") as copy:
                assert sum(len(block) for block in copy) > 2000 * 500
            with pytest.raises(psycopg.Error):
                spoil(db)
            assert db.execute("select count(*) from heap").fetchone() == (2000,)


def test_large_answers_wait_for_a_slow_reader(clean: Running) -> None:
    with clean.connect(POOLED) as db, db.cursor(name=None) as cursor:
        cursor.execute("select repeat('x', 1000) from generate_series(1, 30000)")
        assert sum(len(row[0]) for row in cursor) == 30_000_000


def test_a_cancel_request_meets_the_statement_of_its_client(proxy: Running) -> None:
    with proxy.connect(POOLED) as first, proxy.connect(POOLED) as second:
        ended: list[BaseException] = []
        begun = threading.Event()

        def long() -> None:
            try:
                with first.transaction():
                    pid(first)
                    begun.set()
                    first.execute("select pg_sleep(60)")
            except psycopg.Error as error:
                ended.append(error)

        thread = threading.Thread(target=long)
        thread.start()
        assert begun.wait(20)
        while not ended:
            first.cancel_safe(timeout=20)
            assert second.execute("select 1").fetchone() == (1,)
        thread.join(20)
        assert [type(error) for error in ended] == [psycopg.errors.QueryCanceled]
        assert first.execute("select 1").fetchone() == (1,)


@pytest.mark.shows("proxy.pooler")
def test_who_waits_too_long_is_told_so(sockets: Path, tmp_path: Path, relay: str) -> None:
    limits = Limits(share=ONE, query_wait_timeout=2.0)
    with running(sockets, tmp_path, limits=limits, relay=relay) as proxy:
        first, second = proxy.connect(POOLED), proxy.connect(POOLED)
        first.execute("begin")
        with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
            second.execute("select 1")
        first.close()


@pytest.mark.shows("proxy.pooler")
def test_there_is_a_most_of_clients(sockets: Path, tmp_path: Path, relay: str) -> None:
    with running(sockets, tmp_path, limits=Limits(max_client_conn=2), relay=relay) as proxy:
        kept = [proxy.connect(POOLED), proxy.connect(POOLED)]
        with pytest.raises(psycopg.OperationalError) as caught:
            proxy.connect(POOLED)
        for db in kept:
            db.close()
        assert "no more connections allowed (max_client_conn)" in str(caught.value)


def test_a_server_connection_that_breaks_takes_its_client_along(
    clean: Running, watcher: psycopg.Connection[Any]
) -> None:
    with clean.connect(POOLED) as db, clean.connect(POOLED) as other:
        db.execute("begin")
        watcher.execute("select pg_terminate_backend(%s)", (pid(db),))
        with pytest.raises(psycopg.OperationalError):
            db.execute("select 1")
        assert other.execute("select 1").fetchone() == (1,)


def test_a_broken_idle_server_connection_is_replaced(
    clean: Running, watcher: psycopg.Connection[Any]
) -> None:
    with clean.connect(POOLED) as db:
        gone = pid(db)
        watcher.execute("select pg_terminate_backend(%s, 20000)", (gone,))
        assert pid(db) != gone


def test_errors_at_login_are_the_computes_own(clean: Running) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "no_such" does not exist'):
        clean.connect(POOLED, dbname="no_such")


def test_idle_server_connections_are_closed(
    sockets: Path, tmp_path: Path, relay: str, watcher: psycopg.Connection[Any]
) -> None:
    with running(sockets, tmp_path, limits=Limits(server_idle_timeout=0.1), relay=relay) as proxy:  # noqa: SIM117 - the proxy first
        with proxy.connect(POOLED) as db:
            mine = pid(db)
            while watcher.execute("select 1 from pg_stat_activity where pid = %s", (mine,)).fetchone():
                pass
            assert pid(db) != mine


def raw(proxy: Running, sent: bytes, ready: int) -> bytes:
    """Send as a client of our own to a pooled host; give what comes until it was so often ready."""
    context = ssl.create_default_context(cafile=str(proxy.certificates.authority))
    with socket.create_connection(("127.0.0.1", proxy.proxy.port), timeout=20) as plain:
        plain.sendall(b"\0\0\0\x08" + messages.SSL_REQUEST.to_bytes(4, "big"))
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(HELLO + messages.message(b"p", WORD.encode() + b"\0") + sent)
            data = b""
            while data.count(b"Z\0\0\0\x05") <= ready and (more := client.recv(65536)):
                data += more
    return data[data.index(b"Z\0\0\0\x05I") + 6 :]


HELLO = messages.startup(messages.PROTOCOL_3, {"user": "app", "database": "shop"})
WORD = f"endpoint={POOLED};pw-" + "7" * 12


def kinds(data: bytes) -> str:
    """Give the letters of the messages."""
    found, at = "", 0
    while at < len(data):
        found += chr(data[at])
        at += 1 + int.from_bytes(data[at + 1 : at + 5], "big")
    return found


def query(text: str) -> bytes:
    return messages.message(b"Q", text.encode() + b"\0")


def parse(name: str, text: str) -> bytes:
    return messages.message(b"P", f"{name}\0{text}\0".encode() + b"\0\0")


def bind(name: str) -> bytes:
    return messages.message(b"B", f"\0{name}\0".encode() + b"\0\0\0\0\0\0")


EXECUTE, SYNC = messages.message(b"E", b"\0\0\0\0\0"), messages.message(b"S")


def test_an_answer_we_give_ourselves_comes_in_its_turn(clean: Running) -> None:
    known = parse("a", "select 1") + SYNC
    again = bind("a") + EXECUTE + messages.message(b"C", b"Sa\0")
    again += parse("b", "select 1") + bind("b") + EXECUTE + SYNC
    assert kinds(raw(clean, known + again + query("select 2"), 3)) == "1Z2DC312DCZTDCZ"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (bind("nobody"), "prepared statement did not exist"),
        (parse("a", "select 1") + parse("a", "select 2"), "prepared statement name is already in use"),
        (messages.message(b"?"), "unknown pkt"),
        (b"Q\0\0\0\0", "broken packet"),
        (messages.message(b"B", b"xx"), "broken packet"),
    ],
)
def test_what_pgbouncer_would_not_take_ends_the_client(clean: Running, sent: bytes, text: str) -> None:
    data = raw(clean, sent, 1)
    assert text in messages.fields_of(data[data.index(b"E") + 5 :])["M"]


def test_the_rest_of_a_copy_that_failed_is_dropped(clean: Running) -> None:
    stray = messages.message(b"d", b"row\n" * 50_000) + messages.message(b"c")
    assert kinds(raw(clean, stray + query("select 1"), 1)) == "TDCZ"


def test_a_newer_protocol_is_negotiated_down(clean: Running) -> None:
    with clean.connect(POOLED, max_protocol_version="3.2") as db:
        assert db.execute("select 1").fetchone() == (1,)
