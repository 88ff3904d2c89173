"""One socket, plain or TLS, in an event loop without asyncio's transports.

asyncio's own TLS copies every byte through memory buffers in Python. Here OpenSSL reads and writes
the socket itself, which is what makes the relay fast.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from neondba.local.proxy.messages import ProtocolError
from neondba.local.proxy.tls import CertificatePaths

T = TypeVar("T")


class RoutedSocket(ssl.SSLSocket):
    """A TLS socket that remembers the host name the client asked for."""

    asked_host: str | None = None


class Tls:
    """The proxy's side of TLS, and what SCRAM binds to."""

    def __init__(self, paths: CertificatePaths) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(paths.certificate, paths.key)
        context.set_alpn_protocols(["postgresql"])
        context.sslsocket_class = RoutedSocket
        context.sni_callback = _remember
        self.context = context
        pem = paths.certificate.read_text(encoding="ascii")
        # `tls-server-end-point`: the hash is that of the certificate's signature, ours is SHA-256.
        self.certificate_hash = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()


def _remember(asked: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    if isinstance(asked, RoutedSocket):
        asked.asked_host = name


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class Wire:
    """Read exactly and write fully on a non-blocking socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._loop = asyncio.get_running_loop()

    @property
    def asked_host(self) -> str | None:
        """The host name the client asked for in TLS."""
        return self.sock.asked_host if isinstance(self.sock, RoutedSocket) else None

    async def peek(self) -> int | None:
        """Give the first byte without taking it; nothing at the end."""
        first = await self._until(lambda: self.sock.recv(1, socket.MSG_PEEK))
        return first[0] if first else None

    async def exactly(self, count: int) -> bytes:
        """Read so many bytes.

        Raises:
            EOFError: the peer has gone before.
        """
        got = bytearray()
        while len(got) < count:
            more = await self._until(partial(self.sock.recv, count - len(got)))
            if not more:
                raise EOFError
            got += more
        return bytes(got)

    async def packet(self, longest: int) -> bytes:
        """Read a length word and what it counts.

        Raises:
            ProtocolError: the length cannot be right.
        """
        length = int.from_bytes(await self.exactly(4), "big")
        if not 4 <= length <= longest:
            raise ProtocolError("invalid length of startup packet")
        return await self.exactly(length - 4)

    async def message(self, longest: int) -> tuple[bytes, bytes]:
        """Read a typed message: its letter and its body."""
        kind = await self.exactly(1)
        return kind, await self.packet(longest)

    async def send(self, data: bytes) -> None:
        """Write all of it."""
        left = memoryview(data)
        while left:
            sent = await self._until(partial(self.sock.send, left), writing=True)
            left = left[sent:]

    async def encrypt(self, tls: Tls) -> None:
        """Take the server's part in a TLS handshake."""
        wrapped = tls.context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        self.sock = wrapped
        await self._until(wrapped.do_handshake)

    async def finish(self) -> None:
        """Let the peer read our last words, then close.

        Closing with unread input would make the kernel drop what we have sent.
        """
        with suppress(OSError, TimeoutError, ValueError):
            if isinstance(self.sock, ssl.SSLSocket):
                with suppress(ssl.SSLError):
                    self.sock.unwrap()
            self.sock.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(1):
                # Past TLS: what they still say does not matter any more.
                while await self._until(lambda: socket.socket.recv(self.sock, 4096)):
                    pass
        self.close()

    def close(self) -> None:
        """Close at once."""
        if self.sock.fileno() >= 0:
            self._loop.remove_reader(self.sock)
            self._loop.remove_writer(self.sock)
        self.sock.close()

    async def _until(self, attempt: Callable[[], T], *, writing: bool = False) -> T:
        while True:
            try:
                return attempt()
            except BlockingIOError:
                await self._ready(writing=writing)
            except ssl.SSLWantReadError:
                await self._ready(writing=False)
            except ssl.SSLWantWriteError:
                await self._ready(writing=True)

    async def _ready(self, *, writing: bool) -> None:
        ready = self._loop.create_future()
        add = self._loop.add_writer if writing else self._loop.add_reader
        remove = self._loop.remove_writer if writing else self._loop.remove_reader
        add(self.sock, _wake, ready)
        try:
            await ready
        finally:
            remove(self.sock)
