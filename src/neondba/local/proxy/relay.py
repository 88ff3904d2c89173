"""Two halves of a connection: greet the compute for the client, then pump bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from neondba.local.proxy import messages
from neondba.local.proxy.messages import ProtocolError
from neondba.local.proxy.wire import Wire

CHUNK: Final = 128 * 1024
TURNS: Final = 8
"""Reads in a row before other connections get their turn."""
LONGEST_GREETING: Final = 1 << 20
STARTING: Final = "57P03"


class ComputeStarting(Exception):
    """The compute is there and does not take connections yet."""


async def greet(
    compute: Wire,
    version: int,
    parameters: dict[str, str],
    register: Callable[[int, bytes], bytes],
) -> tuple[bytes, bool]:
    """Log in at the compute; give what to tell the client, and whether it may go on.

    `register` takes the compute's cancel key and gives the message with ours in its place.

    Raises:
        ComputeStarting: it will take connections in a moment.
        EOFError: it broke off.
        ProtocolError: it does not trust the proxy.
    """
    await compute.send(messages.startup(version, parameters))
    told = bytearray()
    while True:
        kind, body = await compute.message(LONGEST_GREETING)
        if kind == b"K":
            told += register(int.from_bytes(body[:4], "big"), body[4:])
            continue
        if kind == b"R" and body != b"\0\0\0\0":
            raise ProtocolError("the compute asks for a password that the proxy does not have")
        if kind == b"E" and messages.fields_of(body).get("C") == STARTING:
            raise ComputeStarting
        told += messages.message(kind, body)
        if kind in (b"E", b"Z"):
            return bytes(told), kind == b"Z"


class Pump:
    """Move bytes both ways until one side ends; hold back a side whose peer is slow.

    `scratch` holds what was just read. All pumps of one event loop share it: between a read and its
    write nothing else runs there.
    """

    def __init__(self, client: socket.socket, compute: socket.socket, scratch: memoryview) -> None:
        self._done = asyncio.get_running_loop().create_future()
        self._ways = [
            _Way(client, compute, scratch, self._end),
            _Way(compute, client, scratch, self._end),
        ]

    async def run(self) -> None:
        """Pump; return when the connection is over."""
        try:
            # TLS may hold bytes already that the socket will not announce again.
            for way in self._ways:
                way.start()
            await self._done
        finally:
            for way in self._ways:
                way.stop()

    def _end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


class _Way:
    """One direction. At most one chunk waits in memory: then the source is not read."""

    def __init__(
        self, source: socket.socket, target: socket.socket, scratch: memoryview, end: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._source, self._target, self._end = source, target, end
        self._scratch = scratch
        self._waiting: memoryview | None = None
        self._pending = source.pending if isinstance(source, ssl.SSLSocket) else lambda: 0

    def start(self) -> None:
        """Begin to read."""
        self._loop.add_reader(self._source, self._read)
        self._loop.call_soon(self._read)

    def stop(self) -> None:
        """Forget both sockets."""
        if self._source.fileno() >= 0:
            self._loop.remove_reader(self._source)
        if self._target.fileno() >= 0:
            self._loop.remove_writer(self._target)

    def _read(self) -> None:
        if self._waiting is not None:
            return
        try:
            for _ in range(TURNS):
                count = self._source.recv_into(self._scratch)
                if not count:
                    self._end()
                    return
                if not self._write(self._scratch[:count]) or not self._pending():
                    return
            self._loop.call_soon(self._read)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except ssl.SSLWantWriteError:
            self._loop.call_soon(self._read)
        except (OSError, ValueError):
            self._end()

    def _write(self, left: memoryview) -> bool:
        """Send it; keep what does not go now, and tell whether all of it went."""
        try:
            # OpenSSL takes one record of 16 kB at a time.
            while left:
                left = left[self._target.send(left) :]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._waiting = memoryview(bytes(left))
            self._loop.remove_reader(self._source)
            self._loop.add_writer(self._target, self._flush)
            return False
        self._waiting = None
        return True

    def _flush(self) -> None:
        if self._waiting is None:
            return
        try:
            if not self._write(self._waiting):
                return
        except (OSError, ValueError):
            self._end()
            return
        self._loop.remove_writer(self._target)
        self._loop.add_reader(self._source, self._read)
        self._loop.call_soon(self._read)
