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
        self._over = over
        self._client = Stream(
            loop, client, heard=self._from_client, ended=self.end, eased=lambda: self._compute.resume()
        )
        self._compute = Stream(
            loop, compute, heard=self._from_compute, ended=self.end, eased=self._client.resume
        )

    @property
    def moved(self) -> tuple[int, int]:
        """Bytes to the client and from it."""
        return self._client.sent, self._client.received

    def begin(self) -> None:
        """Start, in the loop's thread."""
        self._client.start()
        self._compute.start()

    def end(self) -> None:
        """Let both sockets go, in the loop's thread; say what the client still has to get."""
        if self._client.stopped:
            return
        self._client.stop()
        self._compute.stop()
        self._over(bytes(self._client.waiting))

    def _from_client(self, data: memoryview) -> None:
        if not self._compute.send(data):
            self._client.pause()

    def _from_compute(self, data: memoryview) -> None:
        if not self._client.send(data):
            self._compute.pause()
