"""Wild, slow and many clients at the front door: an error or a clean close, never a hang."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proxied import ENDPOINT, PASSWORD, Running

from neondba.local.proxy import messages
from neondba.local.proxy.fast import SWITCH, why_not

POOLED = f"{ENDPOINT}-pooler"
HELLO = messages.startup(messages.PROTOCOL_3, {"user": "app", "database": "shop"})
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def query(text: str) -> bytes:
    return messages.message(b"Q", text.encode() + b"\0")


def plain(proxy: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.proxy.port), timeout=30)


def encrypted(proxy: Running) -> ssl.SSLSocket:
    client = plain(proxy)
    client.sendall(struct.pack("!II", 8, messages.SSL_REQUEST))
    assert client.recv(1) == b"S"
    context = ssl.create_default_context(cafile=str(proxy.certificates.authority))
    return context.wrap_socket(client, server_hostname="localhost")


def inside(proxy: Running, label: str) -> ssl.SSLSocket:
    """Give a connection that has logged in, read up to its first ReadyForQuery."""
    client = encrypted(proxy)
    word = f"endpoint={label};{PASSWORD}".encode() + b"\0"
    client.sendall(HELLO + messages.message(b"p", word))
    said = b""
    while b"Z\0\0\0\5I" not in said:
        said += client.recv(65536)
    return client


def rest(client: socket.socket) -> bytes:
    """Say no more, and give all that comes until the end."""
    data = b""
    try:
        socket.socket.shutdown(client, socket.SHUT_WR)
        while more := client.recv(65536):
            data += more
    except OSError:  # The server may have ended it first, also while we say no more.
        pass
    client.close()
    return data


def well(proxy: Running) -> bool:
    with proxy.connect(POOLED) as pooled, proxy.connect() as direct:
        return all(db.execute("select 42").fetchone() == (42,) for db in (pooled, direct))


PACKETS = st.one_of(
    st.binary(max_size=64),
    st.builds(lambda body: struct.pack("!I", len(body) + 4) + body, st.binary(max_size=64)),
    st.builds(
        lambda code, body: struct.pack("!II", len(body) + 8, code) + body,
        st.sampled_from([3 << 16, (3 << 16) + 2, 80877102, 80877103, 80877104, 2 << 16]),
        st.binary(max_size=64),
    ),
    st.dictionaries(st.sampled_from(["user", "database", "options", "x"]), st.text(max_size=20)).map(
        lambda given: messages.startup(messages.PROTOCOL_3, given)
    ),
)


@FEW
@given(st.lists(PACKETS, max_size=3), st.booleans())
def test_wild_start_up_packets_end_in_an_error_or_a_close(
    proxy: Running, packets: list[bytes], tls: bool
) -> None:
    client = encrypted(proxy) if tls else plain(proxy)
    client.sendall(b"".join(packets))
    rest(client)


TALK = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda letter, body: messages.message(letter, body),
        st.sampled_from([bytes([c]) for c in b"QPBDECSHFdcfX?"]),
        st.binary(max_size=30),
    ),
    st.sampled_from([query("select 1"), query("begin"), query("select 1/0"), messages.message(b"S")]),
    st.sampled_from(
        [messages.message(b"P", b"a\0select 1\0\0\0"), messages.message(b"B", b"\0a\0" + bytes(6))]
    ),
)


@FEW
@given(st.lists(TALK, max_size=6))
def test_wild_messages_harm_nobody_else(proxy: Running, talk: list[bytes]) -> None:
    for label in (POOLED, ENDPOINT):
        client = inside(proxy, label)
        client.sendall(b"".join(talk))
        rest(client)


def test_the_door_is_well_after_all_that(proxy: Running) -> None:
    assert well(proxy)


@pytest.mark.parametrize("label", [POOLED, ENDPOINT])
def test_messages_may_come_in_any_pieces(proxy: Running, label: str) -> None:
    bind = messages.message(b"B", b"\0mine\0" + bytes(6)) + messages.message(b"E", bytes(5))
    talk = query("select 1") + messages.message(b"P", b"mine\0select 2\0\0\0") + bind + messages.message(b"S")
    whole = inside(proxy, label)
    whole.sendall(talk)
    expected = b""
    while expected.count(b"Z\0\0\0\5I") < 2:
        expected += whole.recv(65536)
    whole.close()
    for size in (1, 3, 7, 20):
        client, said = inside(proxy, label), b""
        for at in range(0, len(talk), size):
            client.sendall(talk[at : at + size])
        while said.count(b"Z\0\0\0\5I") < 2:
            said += client.recv(65536)
        client.close()
        assert said == expected


def test_half_open_tls_and_silent_clients_keep_nobody_out(proxy: Running) -> None:
    many = [plain(proxy) for _ in range(500)]
    for client in many[::2]:
        client.sendall(struct.pack("!II", 8, messages.SSL_REQUEST) + b"\x16\x03\x01")
    assert well(proxy)
    for client in many:
        client.close()


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("label", [POOLED, ENDPOINT])
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_clients_that_never_read_cost_little_memory(proxy: Running, label: str) -> None:
    before = resident()
    many = [inside(proxy, label) for _ in range(8)]
    for client in many:
        client.sendall(query("select repeat('x', 100000) from generate_series(1, 500)"))
    assert well(proxy)
    with proxy.connect() as watcher:
        # All eight stand still when nothing is taken from them any more.
        stuck = "select count(*) from pg_stat_activity where wait_event = 'ClientWrite'"
        while (watcher.execute(stuck).fetchone() or (0,))[0] < 8:
            pass
    assert resident() - before < 40_000_000
    for client in many:
        client.close()


@pytest.mark.shows("metering.transfer")
def test_bytes_are_counted_both_ways(proxy: Running) -> None:
    for label in (POOLED, ENDPOINT):
        while proxy.proxy.connections:
            pass
        proxy.directory.told.clear()
        with proxy.connect(label) as db:
            db.execute("select repeat('x', 1000000)")
        assert proxy.directory.wait_for_closed(1)
        assert 1_000_000 < proxy.directory.told["to client"] < 1_010_000
        assert 20 < proxy.directory.told["from client"] < 1000


def test_an_address_that_may_not_connect_is_told_so(proxy: Running) -> None:
    proxy.directory.refusal = "This IP address 127.0.0.1 is not allowed to connect to this endpoint."
    try:
        for label in (POOLED, ENDPOINT):
            with pytest.raises(psycopg.OperationalError, match="This IP address"):
                proxy.connect(label)
    finally:
        proxy.directory.refusal = None


@pytest.mark.parametrize("label", [POOLED, ENDPOINT])
def test_a_private_stream_is_served_in_clear(proxy: Running, label: str) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    host = f"{label}.localhost"
    proxy.loop.call_soon_threadsafe(lambda: proxy.proxy.adopt(theirs, host=host, address="127.0.0.1"))
    # At once, as the serverless driver does.
    ours.sendall(HELLO + messages.message(b"p", PASSWORD.encode() + b"\0"))
    said = b""
    while b"Z\0\0\0\5I" not in said:
        said += ours.recv(65536)
    ours.sendall(query("select 'hello'"))
    while b"hello" not in said:
        said += ours.recv(65536)
    ours.close()


def test_the_relay_in_python_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "python")
    assert SWITCH in (why_not() or "")
