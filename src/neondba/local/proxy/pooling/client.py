"""A client of the pooler: it has a server connection only while a transaction lasts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from neondba.local.proxy import messages
from neondba.local.proxy.fast import Returned
from neondba.local.proxy.loop import Loop
from neondba.local.proxy.pooling import awaited as waits
from neondba.local.proxy.pooling.statements import Statement
from neondba.local.proxy.stream import Stream

if TYPE_CHECKING:
    from neondba.local.proxy.pooling.pool import Pool
    from neondba.local.proxy.pooling.server import PoolServer

_SENT: Final = {
    ord("Q"): waits.QUERY,
    ord("F"): waits.QUERY,
    ord("S"): waits.SYNC,
    ord("E"): waits.EXECUTE,
}
_NAMING: Final = frozenset(b"PBDC")
_IDLE_NOISE: Final = frozenset(b"dcfH")
"""What PostgreSQL drops when nothing runs: the rest of a COPY that failed."""
_DATA: Final = frozenset(b"dH")
_TERMINATE: Final = ord("X")
_SYNC: Final = ord("S")
_LONGEST: Final = 1 << 30

Taken = tuple[bytes, int]
"""What the server gets in place of a message's beginning, and how long that is."""


class Later(Exception):
    """The message cannot be passed on yet."""


class Unwelcome(Exception):
    """The client is sent away, with the words PgBouncer would say."""


def refusal(text: str) -> bytes:
    """Write what PgBouncer says before it closes."""
    return messages.error(text, code="08P01", severity="FATAL")


class PoolClient:
    """Reads a client's messages and gets it a server connection when it needs one."""

    def __init__(
        self,
        loop: Loop,
        pool: Pool,
        sock: socket.socket,
        parameters: dict[str, str],
        over: Callable[[bytes], None],
    ) -> None:
        self._pool, self._over, self._core = pool, over, loop.core
        self.stream = Stream(
            loop, sock, heard=self.heard, ended=self.end, eased=self.eased, returned=self._returned
        )
        self.parameters = parameters
        self.statements: dict[bytes, Statement] = {}
        self.server: PoolServer | None = None
        self.waiting_since: float | None = None
        self.asking = False
        """A server connection is on its way."""
        self._held = b""
        self._skip = 0
        self._dropping = False

    @property
    def moved(self) -> tuple[int, int]:
        """Bytes to the client and from it."""
        return self.stream.sent, self.stream.received

    @property
    def between(self) -> bool:
        """Tell whether no message is half passed on."""
        return not self._skip

    def begin(self) -> None:
        """Start, in the loop's thread."""
        self._pool.clients.add(self)
        self.stream.start()
        self.rest()

    def end(self, last: bytes = b"") -> None:
        """Let the socket go, in the loop's thread; say what the client still has to get."""
        if self.stream.stopped:
            return
        if self.stream.lent:
            self._take_back()
        self.stream.stop()
        self._pool.left(self)
        self._over(bytes(self.stream.waiting) + last)

    def eased(self) -> None:
        """Read its server connection again."""
        if self.server is not None:
            self.server.stream.resume()

    def heard(self, data: memoryview) -> None:
        """Take messages apart and pass them on."""
        if self.asking:
            self._held += data
            self.stream.pause()
            return
        if self._held:
            data = memoryview(self._held + data)
            self._held = b""
        try:
            self._pass(data)
        except Unwelcome as refused:
            self.end(refusal(str(refused)))
        except ValueError:
            self.end(refusal("broken packet"))

    def rest(self) -> None:
        """Leave an idle client to the native part."""
        if self._core is None or self.server is not None or self.asking or self._held or self._skip:
            return
        if not self.stream.quiet or self.stream.lent:
            return
        key = self._pool.free.key(self.parameters)
        if self._core.rest(self.stream.sock, self.stream.fd, self._pool.free.pool, key):
            self.stream.lend()

    def _take_back(self) -> Returned:
        """Go on where the native part stopped."""
        back = self.stream.reclaim()
        if back.server >= 0:
            server = self._pool.servers[back.server]
            self.server, server.client = server, self
            server.take_back(back)
        if back.to_client:
            self.stream.owe(back.to_client)
            if self.server is not None:
                self.server.stream.pause()
        return back

    def _returned(self) -> None:
        back = self._take_back()
        server = self.server
        if back.gone:
            if back.from_server and server is not None:
                self._pool.lost(server)
            else:
                self.end()
        elif back.data:
            data = memoryview(back.data)
            if back.from_server and server is not None:
                server.heard(data)
            else:
                self.heard(data)
        elif server is not None and server.free:
            self._pool.release(server)

    def served(self) -> None:
        """Go on with what was held back until a server connection was there."""
        self.asking = False
        self.stream.resume()
        held, self._held = self._held, b""
        if held:
            self.heard(memoryview(held))

    def _pass(self, data: memoryview) -> None:
        out: list[bytes | memoryview] = []
        size, at = len(data), min(self._skip, len(data))
        self._skip -= at
        begin = at if self._dropping else 0
        while size - at >= 5:
            kind, length = data[at], 1 + int.from_bytes(data[at + 1 : at + 5], "big")
            if kind == _TERMINATE or not 5 <= length <= _LONGEST:
                self._send([*out, data[begin:at]])
                self.end(b"" if kind == _TERMINATE else refusal("broken packet"))
                return
            try:
                taken = self._take(kind, data[at : at + length], length)
            except Later:
                break
            if taken is not None:
                out += [data[begin:at], taken[0]]
                begin = min(at + taken[1], size)
            self._dropping = taken is not None and taken[1] == length
            at += length
        if at > size:
            self._skip, at = at - size, size
        self._held = bytes(data[at:])
        self._send([*out, data[begin:at]] if out else [data[begin:at]])
        if self.server is not None and self.server.overdue and self.between:
            self._pool.release(self.server)

    def _send(self, parts: list[bytes | memoryview]) -> None:
        if self.server is not None:
            whole = parts[0] if len(parts) == 1 else b"".join(parts)
            if len(whole):
                self.server.send(whole)

    def _take(self, kind: int, message: memoryview, length: int) -> Taken | None:
        """Note what a message asks for; None passes it as it is.

        Raises:
            Later: its beginning is not complete, or no server connection is free.
            Unwelcome: PgBouncer would close here.
        """
        if self.server is None:
            if kind in _IDLE_NOISE:
                return b"", length
            if not self._pool.link(self):
                self.asking = True
                self.stream.pause()
                raise Later
        server = self.server
        assert server is not None
        if (sent := _SENT.get(kind)) is not None:
            server.expect(sent)
        elif kind in _NAMING:
            return server.named(self, kind, message, length)
        elif kind not in _DATA:
            if kind not in b"cf":
                raise Unwelcome("unknown pkt")
            server.copying = False
        return None
