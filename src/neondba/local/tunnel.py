"""A private Unix socket that leads to the proxy over TLS: the wheel's own programs speak no TLS."""

from __future__ import annotations

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
        back = threading.Thread(target=_back, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


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


def _back(server: socket.socket, client: socket.socket) -> None:
    """Copy the answers; without channel binding, which a client without TLS takes for an attack."""
    with suppress(OSError), server.makefile("rb", buffering=0) as answers:
        while head := _exactly(answers, 5):
            body = _exactly(answers, struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == b"R" and body[:4] == SASL:
                body = SASL + b"SCRAM-SHA-256\0\0"
            client.sendall(head[:1] + struct.pack("!I", len(body) + 4) + body)
            if head[:1] in b"RE":
                break
    _copy(server, client)


def _exactly(stream: socket.SocketIO, size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = stream.read(size - len(read))
        if not more:
            raise OSError("the proxy went away")
        read += more
    return read


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while more := source.recv(CHUNK):
            target.sendall(more)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
