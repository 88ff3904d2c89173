"""A client with a compute of its own: bytes go both ways untouched."""

from __future__ import annotations

import socket
from collections.abc import Callable

from neondba.local.proxy.loop import Loop
from neondba.local.proxy.stream import Stream


class Direct:
    """One connection; a side whose peer is slow is not read."""

    def __init__(
        self, loop: Loop, client: socket.socket, compute: socket.socket, over: Callable[[bytes], None]
    ) -> None:
        self._loop, self._over = loop, over
        self._client = self._stream(client, self._from_client, lambda: self._compute.resume())
        self._compute = self._stream(compute, self._from_compute, lambda: self._client.resume())

    def _stream(
        self, sock: socket.socket, heard: Callable[[memoryview], None], eased: Callable[[], None]
    ) -> Stream:
        return Stream(self._loop, sock, heard=heard, ended=self.end, eased=eased, returned=self.end)

    @property
    def moved(self) -> tuple[int, int]:
        """Bytes to the client and from it."""
        return self._client.sent, self._client.received

    def begin(self) -> None:
        """Start, in the loop's thread."""
        self._client.start()
        self._compute.start()
        core = self._loop.core
        if core is not None and self._client.quiet and self._compute.quiet:
            sock, fd = self._client.sock, self._client.fd
            if core.pair(sock, fd, self._compute.fd):
                self._client.lend()

    def end(self) -> None:
        """Let both sockets go, in the loop's thread; say what the client still has to get."""
        if self._client.stopped:
            return
        left = self._client.reclaim().out if self._client.lent else b""
        self._client.stop()
        self._compute.stop()
        self._over(bytes(self._client.waiting) + left)

    def _from_client(self, data: memoryview) -> None:
        if not self._compute.send(data):
            self._client.pause()

    def _from_compute(self, data: memoryview) -> None:
        if not self._client.send(data):
            self._compute.pause()
