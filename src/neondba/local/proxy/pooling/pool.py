"""The server connections of one role and database at one endpoint, and who waits for them."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from neondba.local.proxy.cancels import Held
from neondba.local.proxy.loop import Loop
from neondba.local.proxy.pooling.client import PoolClient, refusal
from neondba.local.proxy.pooling.free import Free
from neondba.local.proxy.pooling.server import Login, PoolServer
from neondba.local.proxy.pooling.settings import TRACKED, Limits
from neondba.local.proxy.pooling.statements import Statements

TIMED_OUT: Final = refusal("query_wait_timeout")


@dataclass
class Asked:
    """What a pool asks of the rest of the proxy; called in the loop's thread."""

    server: Callable[[], None]
    """Open one more server connection, and answer with `join` or `refuse`."""
    look: Callable[[], None]
    """A server connection broke off while nobody used it: see whether the compute is gone."""


@dataclass(frozen=True)
class Seen:
    """A pool at one moment."""

    clients: int
    waiting: int
    servers: int
    idle: int
    opening: bool
    longest: float
    """Seconds that the first in the queue has waited."""


@dataclass(eq=False)
class Pool:
    """Everything here happens in the loop's thread, but for `size` before the first client."""

    loop: Loop
    limits: Limits
    texts: Statements
    asked: Asked
    size: int = 1
    clients: set[PoolClient] = field(default_factory=set)
    servers: dict[int, PoolServer] = field(default_factory=dict)
    """By their descriptors."""
    waiting: deque[PoolClient] = field(default_factory=deque)
    opening: bool = False

    def __post_init__(self) -> None:
        self.free = Free(self.loop.core, self.servers)

    def join(self, sock: socket.socket, login: Login) -> None:
        """Take a new server connection."""
        self.opening = False
        server = PoolServer(self.loop, self, sock, login)
        self.servers[sock.fileno()] = server
        server.stream.start()
        self._offer(server)
        if self.waiting:
            self._open()

    def refuse(self, packet: bytes) -> None:
        """Note that no server connection can be opened now."""
        self.opening = False
        if self.servers:
            # One of them comes free, or the wait is long enough to say so.
            return
        while self.waiting:
            self.waiting.popleft().end(packet)
        self._note_waiting()

    def link(self, client: PoolClient) -> bool:
        """Give the client a server connection; without one it waits its turn."""
        if client.waiting_since is not None:
            return False
        server = self.free.draw(client.parameters) if not self.waiting else None
        if server is not None:
            return self._give(server, client)
        client.waiting_since = time.monotonic()
        self.waiting.append(client)
        self._note_waiting()
        self._open()
        return False

    def release(self, server: PoolServer) -> None:
        """Take a server connection back after a transaction."""
        client = server.client
        if client is not None:
            if not client.between:
                server.overdue = True
                return
            server.overdue = False
            client.server = server.client = None
            client.stream.resume()
        server.stream.resume()
        if not server.cancels:
            self._offer(server)
        if client is not None:
            client.rest()

    def freed(self, server: PoolServer) -> None:
        """Take back a server connection that the native part gives up, after a transaction or idle."""
        if server.client is None and server.free and not server.cancels:
            self._offer(server)

    def was_set(self, server: PoolServer) -> None:
        """Let the client go on: its parameters are set now."""
        client = server.client
        if client is None:
            self._offer(server)
            return
        # As the server spells them, so that they compare equal the next time.
        client.parameters.update({name: server.parameters[name] for name in TRACKED})
        client.server = server
        client.served()

    def lost(self, server: PoolServer) -> None:
        """Forget a server connection that broke off, with the client that was using it."""
        if not self._mine(server):
            return
        client = self._drop(server)
        if client is not None:
            client.end(server.farewell)
        self.asked.look()
        if self.waiting:
            self._open()

    def left(self, client: PoolClient) -> None:
        """Forget a client; its unfinished transaction goes with its server connection."""
        self.clients.discard(client)
        if client.waiting_since is not None:
            client.waiting_since = None
            if client in self.waiting:
                self.waiting.remove(client)
                self._note_waiting()
        server, client.server = client.server, None
        for each in list(self.servers.values()) if server is None else ():
            if each.client is client:
                server = each
        if server is not None:
            self._drop(server)
            if self.waiting:
                self._open()

    def cancelling(self, riders: list[PoolClient]) -> Held | None:
        """Keep the server connection that a client uses from other clients until `loose`."""
        server = self._server_of(riders[0]) if riders else None
        if server is None:
            return None
        server.cancels += 1

        def loose() -> None:
            server.cancels -= 1
            if not server.cancels and server.client is None and self._mine(server):
                self.freed(server)

        return Held((server.login.path, server.login.pid, server.login.key), loose)

    def _server_of(self, client: PoolClient) -> PoolServer | None:
        if not client.stream.lent:
            return client.server
        return self.servers.get(self.loop.core.hold(client.stream.fd))

    def _mine(self, server: PoolServer) -> bool:
        return self.servers.get(server.stream.fd) is server

    def _note_waiting(self) -> None:
        if self.loop.core is not None:
            self.loop.core.waiting(self.free.pool, bool(self.waiting))

    def seen(self, now: float) -> Seen:
        """Count who is here."""
        since = self.waiting[0].waiting_since if self.waiting else None
        idle = len(self.free.stale(-1.0, now))
        longest = 0.0 if since is None else now - since
        return Seen(len(self.clients), len(self.waiting), len(self.servers), idle, self.opening, longest)

    def tick(self, now: float) -> None:
        """Send away who waited too long; close what nobody needs."""
        while self.waiting and now - (self.waiting[0].waiting_since or now) > self.limits.query_wait_timeout:
            self.waiting.popleft().end(TIMED_OUT)
            self._note_waiting()
        for server in self.free.stale(self.limits.server_idle_timeout, now):
            self._drop(server)

    def cut(self, packet: bytes) -> None:
        """End everything: the compute is gone, and Neon's pooler goes with it."""
        for client in list(self.clients):
            client.end(packet)
        for server in list(self.servers.values()):
            self._drop(server)

    def _open(self) -> None:
        # One at a time: often an older one is free again before the new one is there.
        if not self.opening and len(self.servers) < self.size:
            self.opening = True
            self.asked.server()

    def _offer(self, server: PoolServer) -> None:
        if not self._mine(server):
            return
        while self.waiting:
            client = self.waiting.popleft()
            client.waiting_since = None
            self._note_waiting()
            if self._give(server, client):
                client.served()
            return
        self.free.push(server)

    def _give(self, server: PoolServer, client: PoolClient) -> bool:
        """Link the two; without the client's parameters set it has to wait for that."""
        server.client = client
        different = {
            name: client.parameters[name]
            for name in TRACKED
            if client.parameters[name] != server.parameters[name]
        }
        if not different:
            client.server = server
            return True
        client.stream.pause()
        server.set_parameters(different)
        return False

    def _drop(self, server: PoolServer) -> PoolClient | None:
        self.servers.pop(server.stream.fd, None)
        self.free.remove(server)
        client, server.client = server.client, None
        if client is not None:
            client.server = None
        server.stream.stop()
        server.stream.sock.close()
        return client
