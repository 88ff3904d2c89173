"""Real clients through the proxy to a real PostgreSQL."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest
from proxied import DISABLED, ENDPOINT, PASSWORD, Running, running

from neondba.core.problem import ConflictProblem
from neondba.local.proxy import messages
from neondba.local.proxy.server import serve
from neondba.local.proxy.startup import NO_ENDPOINT, NO_SUCH_ENDPOINT
from neondba.local.routing import Moment
from neondba.postgres.scratch import SUPERUSER


def refused(proxy: Running, label: str | None = ENDPOINT, **more: object) -> str:
    with pytest.raises(psycopg.OperationalError) as caught:
        proxy.connect(label, **more)
    return str(caught.value)


@pytest.mark.parametrize("binding", ["disable", "prefer", "require"])
@pytest.mark.shows("proxy.scram")
def test_scram_works_with_and_without_channel_binding(proxy: Running, binding: str) -> None:
    with proxy.connect(channel_binding=binding) as db:
        assert db.execute("select current_user, current_database()").fetchone() == ("app", "shop")
        assert db.pgconn.ssl_in_use


@pytest.mark.shows("proxy.tls")
def test_direct_tls_needs_no_request(proxy: Running) -> None:
    with proxy.connect(sslnegotiation="direct") as db:
        assert db.execute("select 1").fetchone() == (1,)


@pytest.mark.shows("proxy.certificate")
def test_a_client_that_checks_the_certificate_is_content(proxy: Running) -> None:
    with proxy.connect(sslmode="verify-full", sslrootcert=str(proxy.certificates.authority)) as db:
        assert db.execute("select 1").fetchone() == (1,)


@pytest.mark.shows("proxy.routing")
def test_the_endpoint_may_come_as_an_option_among_others(proxy: Running) -> None:
    options = f"-c work_mem=5MB endpoint={ENDPOINT} -c search_path=a,\\ b"
    with proxy.connect(None, options=options) as db:
        assert db.execute("select current_setting('work_mem')").fetchone() == ("5MB",)
        assert db.execute("select current_setting('search_path')").fetchone() == ("a, b",)


@pytest.mark.parametrize("mark", [";", "$"])
@pytest.mark.shows("proxy.routing")
def test_the_endpoint_may_come_before_the_password(proxy: Running, mark: str) -> None:
    with proxy.connect(None, password=f"endpoint={ENDPOINT}{mark}{PASSWORD}") as db:
        assert db.execute("select 1").fetchone() == (1,)
    assert "password authentication failed" in refused(proxy, None, password=f"endpoint={ENDPOINT};wrong")


@pytest.mark.shows("proxy.unknown-endpoint")
def test_a_client_that_names_no_endpoint_is_told_how(proxy: Running) -> None:
    assert NO_ENDPOINT in refused(proxy, None)


@pytest.mark.shows("proxy.routing")
def test_host_name_and_option_must_agree(proxy: Running) -> None:
    said = refused(proxy, options="endpoint=ep-other-one-1")
    assert f"SNI ('{ENDPOINT}') and project option ('ep-other-one-1')" in said


@pytest.mark.shows("proxy.unknown-endpoint")
def test_an_unknown_endpoint_is_refused_in_neons_words(proxy: Running) -> None:
    assert NO_SUCH_ENDPOINT in refused(proxy, "ep-no-such-00000000")


def test_a_compute_that_cannot_wake_says_why(proxy: Running) -> None:
    assert "The endpoint has been disabled." in refused(proxy, DISABLED)


@pytest.mark.parametrize("who", [{"password": "wrong"}, {"user": "nobody"}, {"user": SUPERUSER}])
@pytest.mark.shows("proxy.wrong-password")
def test_wrong_password_and_unknown_role_look_alike(proxy: Running, who: dict[str, str]) -> None:
    woken = proxy.directory.told["woken"]
    role = who.get("user", "app")
    with pytest.raises(psycopg.OperationalError, match=f"authentication failed for user '{role}'"):
        proxy.connect(**who)
    assert proxy.directory.told["woken"] == woken


def raw(proxy: Running, *, encrypted: bool = True) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", proxy.proxy.port), timeout=20)
    if not encrypted:
        return plain
    plain.sendall(struct.pack("!II", 8, messages.SSL_REQUEST))
    assert plain.recv(1) == b"S"
    context = ssl.create_default_context(cafile=str(proxy.certificates.authority))
    return context.wrap_socket(plain, server_hostname="localhost")


def said(client: socket.socket) -> dict[str, str]:
    """Read up to the error and give its fields."""
    data = b""
    while more := client.recv(65536):
        data += more
    client.close()
    return messages.fields_of(data[data.index(b"E") + 5 :])


HELLO = messages.startup(messages.PROTOCOL_3, {"user": "app", "database": "shop"})


def test_a_wrong_password_has_its_sqlstate(proxy: Running) -> None:
    client = raw(proxy)
    client.sendall(HELLO + messages.message(b"p", f"endpoint={ENDPOINT};wrong".encode() + b"\0"))
    fields = said(client)
    assert (fields["C"], fields["M"]) == ("28P01", "password authentication failed for user 'app'")


@pytest.mark.shows("proxy.tls")
def test_a_client_without_tls_is_told_to_use_it(proxy: Running) -> None:
    assert "connection is insecure (try using `sslmode=require`)" in refused(proxy, sslmode="disable")


def test_gss_encryption_is_declined_and_tls_still_offered(proxy: Running) -> None:
    client = raw(proxy, encrypted=False)
    client.sendall(struct.pack("!II", 8, messages.GSSENC_REQUEST))
    assert client.recv(1) == b"N"
    client.sendall(struct.pack("!II", 8, messages.SSL_REQUEST))
    assert client.recv(1) == b"S"
    client.close()


@pytest.mark.parametrize(
    "packet",
    [b"GET / HTTP/1.1\r\n\r\n", struct.pack("!I", 3), struct.pack("!II", 8, 2 << 16), HELLO[:-1] + b"x"],
)
def test_what_is_no_start_up_packet_is_refused(proxy: Running, packet: bytes) -> None:
    client = raw(proxy)
    client.sendall(packet)
    assert said(client)["C"] == "08P01"


@pytest.mark.shows("proxy.silence")
def test_a_client_that_says_nothing_is_let_go(sockets: Path, tmp_path: Path) -> None:
    with running(sockets, tmp_path, limit=2.0) as proxy:
        silent, half = raw(proxy, encrypted=False), raw(proxy)
        half.sendall(HELLO[:6])
        assert (silent.recv(1), half.recv(1)) == (b"", b"")
        silent.close()
        half.close()


@pytest.mark.shows("proxy.wake", "proxy.silence")
def test_a_client_does_not_pay_for_a_slow_wake(sockets: Path, tmp_path: Path) -> None:
    with running(sockets, tmp_path, limit=4.0) as proxy:
        proxy.directory.thinks_for = 4.5
        with proxy.connect() as db:
            assert db.execute("select 1").fetchone() == (1,)


def test_a_taken_port_is_one_clear_problem(proxy: Running) -> None:
    mine = proxy.proxy.port
    with pytest.raises(ConflictProblem) as caught:
        proxy.call(serve(proxy.directory, "localhost", mine, proxy.certificates))
    assert (caught.value.code, str(mine) in caught.value.message) == ("port-in-use", True)


def test_a_pooled_host_reaches_the_compute(proxy: Running) -> None:
    with proxy.connect(f"{ENDPOINT}-pooler", application_name="shop") as db:
        assert db.execute("show application_name").fetchone() == ("shop",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-c search_path=a", "unsupported startup parameter in options: search_path"),
        ("-csearch_path=a", "unsupported startup parameter in options: search_path"),
        ("--statement-timeout=5", "unsupported startup parameter in options: statement-timeout"),
    ],
)
@pytest.mark.shows("proxy.pooler-parameters")
def test_the_pooler_refuses_options_that_pgbouncer_refuses(proxy: Running, options: str, said: str) -> None:
    assert said in refused(proxy, f"{ENDPOINT}-pooler", options=options)


def test_the_pooler_refuses_what_comes_with_a_password_prefix_too(proxy: Running) -> None:
    word = f"endpoint={ENDPOINT}-pooler;{PASSWORD}"
    with proxy.connect(None, password=word, options="-c TimeZone=UTC") as db:
        assert db.execute("show timezone").fetchone() == ("UTC",)
    assert "in options: search_path" in refused(proxy, None, password=word, options="-c search_path=a")


@pytest.mark.shows("proxy.pooler-parameters")
def test_the_pooler_refuses_replication(proxy: Running) -> None:
    assert "unsupported startup parameter: replication" in refused(
        proxy, f"{ENDPOINT}-pooler", replication="database"
    )


def test_the_directory_is_asked_for_the_moment_that_a_client_names(proxy: Running) -> None:
    with proxy.connect(options="neon_timestamp:2026-01-01T00:00:00Z"):
        assert proxy.directory.moments.pop() == Moment(timestamp="2026-01-01T00:00:00Z")
    with proxy.connect(f"{ENDPOINT}-pooler", options="neon_lsn:0/FF"):
        assert proxy.directory.moments.pop() == Moment(lsn="0/FF")
    with proxy.connect(options="neon_lsn:0/1A2B3C8 -c work_mem=5MB") as db:
        assert proxy.directory.moments.pop() == Moment(lsn="0/1A2B3C8")
        assert db.execute("show work_mem").fetchone() == ("5MB",)


def test_an_error_of_the_compute_reaches_the_client(proxy: Running) -> None:
    assert 'database "no_such" does not exist' in refused(proxy, dbname="no_such")


@pytest.mark.shows("proxy.cancel")
def test_a_running_statement_can_be_cancelled(proxy: Running) -> None:
    with proxy.connect() as db, proxy.connect() as watcher:
        pid = db.execute("select pg_backend_pid()").fetchone()
        ended: list[BaseException] = []

        def long() -> None:
            try:
                db.execute("select pg_sleep(60)")
            except psycopg.Error as error:
                ended.append(error)

        thread = threading.Thread(target=long)
        thread.start()
        active = "select wait_event from pg_stat_activity where pid = %s and state = 'active'"
        while watcher.execute(active, pid).fetchone() != ("PgSleep",):
            pass
        db.cancel_safe(timeout=20)
        thread.join(20)
        assert [type(error) for error in ended] == [psycopg.errors.QueryCanceled]


def test_a_cancel_request_with_a_wrong_key_does_nothing(proxy: Running) -> None:
    with proxy.connect() as db:
        client = raw(proxy, encrypted=False)
        client.sendall(messages.cancel(db.info.backend_pid, b"\0\0\0\0"))
        assert client.recv(1) == b""
        client.close()
        assert db.execute("select 1").fetchone() == (1,)


def test_large_answers_to_a_slow_reader_arrive_whole(proxy: Running) -> None:
    with (
        proxy.connect() as db,
        db.cursor().copy(
            "copy (select repeat(md5(n::text), 300) from generate_series(1, 3000) n) to stdout"
        ) as copy,
    ):
        assert sum(len(block) for block in copy) == 3000 * (32 * 300 + 1)


def test_large_uploads_arrive_whole(proxy: Running) -> None:
    block = b"x" * 99_999 + b"\n"
    with proxy.connect() as db:
        db.execute("create temp table heap (line text)")
        with db.cursor().copy("copy heap from stdin") as copy:
            for _ in range(200):
                copy.write(block)
        found = db.execute("select count(*), sum(length(line)) from heap").fetchone()
    assert found == (200, 200 * 99_999)


def test_a_terminated_backend_says_so(proxy: Running) -> None:
    with proxy.connect() as db:
        with pytest.raises(psycopg.errors.AdminShutdown):
            db.execute("select pg_terminate_backend(pg_backend_pid())")
        assert db.broken


def test_every_connection_is_counted_in_and_out(proxy: Running) -> None:
    proxy.directory.told.clear()
    many = [proxy.connect() for _ in range(30)]
    assert {db.execute("select 1").fetchone() for db in many} == {(1,)}
    assert proxy.directory.told["opened"] == 30
    assert proxy.proxy.connections >= 30
    for db in many:
        db.close()
    assert proxy.directory.wait_for_closed(30)


def test_statements_of_many_clients_keep_apart(proxy: Running) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        with proxy.connect() as db:
            for turn in range(50):
                found = db.execute("select %s::int, %s::int", (number, turn)).fetchone()
                wrong.extend([found] if found != (number, turn) else [])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_the_system_psql_connects(proxy: Running) -> None:
    place = f"host={ENDPOINT}.localhost hostaddr=127.0.0.1 port={proxy.proxy.port} user=app dbname=shop"
    done = subprocess.run(
        ["psql", f"{place} sslmode=require channel_binding=require", "-XAtc", "select 42"],
        env={**os.environ, "PGPASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.stdout.strip(), done.stderr) == ("42", "")
