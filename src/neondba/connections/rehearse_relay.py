"""A relay on this machine between an application and its database, which notes what passes.

TLS ends here on both sides, so that statements can be read; values of rows and parameters are not kept.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from contextlib import suppress
from typing import Final

from neondba.connections.rehearse_login import (
    PATIENCE,
    Certificate,
    Goal,
    Line,
    Refused,
    introduced,
    logged_in,
    proven,
    reached,
)
from neondba.connections.rehearse_record import Conversation, Record, Session
from neondba.core.secret import Secret
from neondba.local.proxy import messages
from neondba.local.proxy.messages import Cancel, ProtocolError, Startup

CHUNK: Final = 1 << 16
MOST_WAITING: Final = 1 << 20
"""Bytes that wait for a slow reader before the other side is no longer read."""
GONE: Final = "could not reach the database behind the relay"


class Relay:
    """Listens on a port of this machine for one goal."""

    def __init__(self, goal: Goal, certificate: Certificate, record: Record, *, pooled: bool) -> None:
        self._goal, self._certificate, self._pooled = goal, certificate, pooled
        self.record = record
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._server.getsockname()[1]
        self._guard = threading.Lock()
        self._open: set[_Pair] = set()
        self._threads: list[threading.Thread] = []
        self._over = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._accepting.start()

    def sessions(self) -> list[Session]:
        """Give the sessions that are open now."""
        with self._guard:
            return [pair.session for pair in self._open if pair.session.admitted is not None]

    def cut(self) -> None:
        """Drop every connection without a word, as a broken network does."""
        with self._guard:
            pairs = [*self._open]
        for pair in pairs:
            pair.drop()

    def close(self) -> None:
        """Stop listening and drop what is open."""
        self._over = True
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._accepting.join(10)
        self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._over:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        line = Line(client)
        try:
            client.settimeout(PATIENCE)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first = introduced(line, self._certificate)
            if isinstance(first, Cancel):
                _cancelled(self._goal, first)
            else:
                self._session(_Pair(line, self.record.session(first.parameters, pooled=self._pooled)), first)
        except (OSError, EOFError, ValueError, ProtocolError):
            pass
        finally:
            line.close()

    def _session(self, pair: _Pair, first: Startup) -> None:
        with self._guard:
            self._open.add(pair)
        try:
            if self._begun(pair, first):
                pair.pump(Conversation(self.record, pair.session))
        except (OSError, EOFError, ValueError, ProtocolError):
            pair.session.closed_by = pair.session.closed_by or "client"
            raise
        finally:
            pair.close()
            pair.session.closed = self.record.now()
            with self._guard:
                self._open.discard(pair)

    def _begun(self, pair: _Pair, first: Startup) -> bool:
        """Log in for a client; tell whether there is a session now."""
        try:
            password = proven(pair.client, first, self._goal, self._certificate)
            pair.session.password = password
            self._log_in(pair, first, password)
        except Refused as refused:
            self._refuse(pair, refused.packet)
            return False
        except OSError:
            self._refuse(pair, messages.error(GONE, code="08006", severity="FATAL"))
            return False
        pair.client.sock.sendall(messages.authentication(0))
        pair.session.admitted = self.record.now()
        return True

    def _log_in(self, pair: _Pair, startup: Startup, password: Secret) -> None:
        pair.server = reached(self._goal)
        try:
            logged_in(pair.server, startup, self._goal, password)
        except EOFError:
            raise ConnectionError("the server closed the connection") from None

    def _refuse(self, pair: _Pair, packet: bytes) -> None:
        pair.session.refused = messages.fields_of(packet[5:])
        pair.session.closed_by = "server"
        with suppress(OSError):
            pair.client.sock.sendall(packet)


def _cancelled(goal: Goal, asked: Cancel) -> None:
    with suppress(OSError):
        line = reached(goal)
        with line.sock:
            line.sock.sendall(messages.cancel(asked.pid, asked.key))
            line.sock.recv(1)


class _Pair:
    """The two sides of a session."""

    def __init__(self, client: Line, session: Session) -> None:
        self.client, self.session = client, session
        self.server: Line | None = None
        self._dropped = False

    def drop(self) -> None:
        """Break both sides off; the thread that serves them cleans up."""
        self._dropped = True
        for line in filter(None, (self.client, self.server)):
            with suppress(OSError):
                socket.socket.shutdown(line.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        for line in filter(None, (self.client, self.server)):
            line.close()

    def pump(self, talk: Conversation) -> None:
        """Pass on what both sides say until one of them ends."""
        assert self.server is not None
        ends = [_End(self.client.sock), _End(self.server.sock)]
        with selectors.DefaultSelector() as selector:
            for end in ends:
                end.sock.setblocking(False)
                selector.register(end.sock, selectors.EVENT_READ, end)
            while not any(end.ended for end in ends):
                self._turn(selector, ends[0], ends[1], talk)
        self._ended(ends, talk)

    def _turn(self, selector: selectors.BaseSelector, client: _End, server: _End, talk: Conversation) -> None:
        for end, other in ((client, server), (server, client)):
            wanted = selectors.EVENT_WRITE if end.waiting else 0
            wanted |= selectors.EVENT_READ if len(other.waiting) < MOST_WAITING else 0
            selector.modify(end.sock, wanted or selectors.EVENT_WRITE, end)
        # What OpenSSL has decrypted already makes no socket readable.
        pending = any(end.pending for end in (client, server))
        ready = {key.data: mask for key, mask in selector.select(0 if pending else 30)}
        for end, other in ((server, client), (client, server)):
            if ready.get(end, 0) & selectors.EVENT_READ or end.pending:
                data = end.read()
                if data and end is server:
                    talk.heard(data)
                elif data and talk.said(data):
                    self.session.closed_by = "client"
                other.waiting += data
        for end in (client, server):
            end.write()

    def _ended(self, ends: list[_End], talk: Conversation) -> None:
        """Note who ended it; give the client the last words of the server."""
        client, server = ends
        if self._dropped:
            self.session.closed_by = "relay"
        elif server.ended and not self.session.closed_by:
            self.session.closed_by = "server"
        else:
            self.session.closed_by = "client"
        if self.session.closed_by != "client":
            self.session.cut_within = self.session.status != "I"
            talk.broke()
        with suppress(OSError):
            client.sock.setblocking(True)
            client.sock.settimeout(1)
            client.sock.sendall(bytes(client.waiting))
        with suppress(OSError):
            server.sock.setblocking(True)
            server.sock.settimeout(1)
            server.sock.sendall(bytes(server.waiting))


class _End:
    """One side of a session, without blocking."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting = bytearray()
        self.ended = False

    @property
    def pending(self) -> bool:
        """True when bytes lie in OpenSSL's buffer."""
        return isinstance(self.sock, ssl.SSLSocket) and not self.ended and self.sock.pending() > 0

    def read(self) -> bytes:
        """Give what is there; nothing at the end."""
        try:
            data = self.sock.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError:
            data = b""
        self.ended = self.ended or not data
        return data

    def write(self) -> None:
        """Send what waits, as far as the other side takes it."""
        while self.waiting:
            try:
                sent = self.sock.send(self.waiting)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                # What it said last may still be read; its end shows there.
                self.waiting.clear()
                return
            del self.waiting[:sent]
