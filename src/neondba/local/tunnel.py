"""A private Unix socket that leads to the proxy over TLS: the wheel's own programs speak no TLS."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

TLS_PLEASE: Final = struct.pack("!II", 8, 80877103)
SASL: Final = struct.pack("!I", 10)
CHUNK: Final = 1 << 16
PORT: Final = 5432
PATIENCE: Final = 60.0


@contextmanager
def opened(host: str, port: int, authority: Path) -> Iterator[dict[str, str]]:
    """Listen while the body runs; give the libpq variables that lead through here."""
    trusted = ssl.create_default_context(cafile=str(authority))
    with tempfile.TemporaryDirectory(prefix="ndb-") as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/.s.PGSQL.{PORT}")
        listening.listen(64)
        accepting = threading.Thread(target=_accept, args=(listening, host, port, trusted), daemon=True)
        accepting.start()
        try:
            yield {
                "PGHOST": folder,
                "PGPORT": str(PORT),
                "PGSSLMODE": "disable",
                "PGCHANNELBINDING": "disable",
            }
        finally:
            # Closing alone does not wake a thread that waits in accept().
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listening: socket.socket, host: str, port: int, trusted: ssl.SSLContext) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_relay, args=(client, host, port, trusted), daemon=True).start()


def _relay(client: socket.socket, host: str, port: int, trusted: ssl.SSLContext) -> None:
    # A client that finds its connection closed says so itself.
    with client, suppress(OSError), _reached(host, port, trusted) as server:
        _lead(client, server)


def _lead(client: socket.socket, server: ssl.SSLSocket) -> None:
    """Copy both ways in one thread: OpenSSL lets no two use a connection at once."""
    greeting: bytes | None = b""
    while True:
        # What OpenSSL has read already the socket does not announce again.
        ready = [server] if server.pending() else select.select([client, server], [], [])[0]
        for source in ready:
            if (more := _arrived(source)) is None:
                continue
            if not more:
                return
            if source is client:
                server.sendall(more)
            elif greeting is None:
                client.sendall(more)
            else:
                greeting += more
                if (changed := _unbound(greeting)) is not None:
                    client.sendall(changed)
                    greeting = None


def _arrived(source: socket.socket) -> bytes | None:
    """Take what is there; None where TLS alone had something to say, such as its session tickets."""
    source.setblocking(False)
    try:
        return source.recv(CHUNK)
    except ssl.SSLWantReadError:
        return None
    finally:
        source.setblocking(True)


def _unbound(greeting: bytes) -> bytes | None:
    """Take channel binding, which a client without TLS takes for an attack, out of the first answer.

    None while that is not whole.
    """
    size = 1 + int.from_bytes(greeting[1:5], "big")
    if len(greeting) < max(size, 5):
        return None
    if greeting[:1] != b"R" or greeting[5:9] != SASL:
        return greeting
    body = SASL + b"SCRAM-SHA-256\0\0"
    return b"R" + struct.pack("!I", len(body) + 4) + body + greeting[size:]


def _reached(host: str, port: int, trusted: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=PATIENCE)
    try:
        plain.sendall(TLS_PLEASE)
        if plain.recv(1) != b"S":
            raise OSError("the proxy speaks no TLS")
        wrapped = trusted.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise
    wrapped.settimeout(None)
    return wrapped
