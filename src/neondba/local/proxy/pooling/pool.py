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


@dataclass(eq=False)
class Pool:
    """Everything here happens in the loop's thread, but for `size` before the first client."""

    loop: Loop
    limits: Limits
    texts: Statements
    asked: Asked
    size: int = 1
    clients: set[PoolClient] = field(default_factory=set)
    servers: set[PoolServer] = field(default_factory=set)
    free: list[PoolServer] = field(default_factory=list)
    waiting: deque[PoolClient] = field(default_factory=deque)
    opening: bool = False

    def join(self, sock: socket.socket, login: Login) -> None:
        """Take a new server connection."""
        self.opening = False
        server = PoolServer(self.loop, self, sock, login)
        self.servers.add(server)
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

    def link(self, client: PoolClient) -> bool:
        """Give the client a server connection; without one it waits its turn."""
        if client.waiting_since is not None:
            return False
        if self.free:
            return self._give(self.free.pop(), client)
        client.waiting_since = time.monotonic()
        self.waiting.append(client)
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
        if server not in self.servers:
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
        server, client.server = client.server, None
        for each in self.servers if server is None else ():
            if each.client is client:
                server = each
        if server is not None:
            self._drop(server)
            if self.waiting:
                self._open()

    def cancelling(self, riders: list[PoolClient]) -> Held | None:
        """Keep the server connection that a client uses from other clients until `loose`."""
        server = riders[0].server if riders else None
        if server is None:
            return None
        server.cancels += 1

        def loose() -> None:
            server.cancels -= 1
            if not server.cancels and server.client is None and server in self.servers:
                self._offer(server)

        return Held((server.login.path, server.login.pid, server.login.key), loose)

    def tick(self, now: float) -> None:
        """Send away who waited too long; close what nobody needs."""
        while self.waiting and now - (self.waiting[0].waiting_since or now) > self.limits.query_wait_timeout:
            self.waiting.popleft().end(TIMED_OUT)
        for server in list(self.free):
            if now - server.idle_since > self.limits.server_idle_timeout:
                self._drop(server)

    def cut(self, packet: bytes) -> None:
        """End everything: the compute is gone, and Neon's pooler goes with it."""
        for client in list(self.clients):
            client.end(packet)
        for server in list(self.servers):
            self._drop(server)

    def _open(self) -> None:
        # One at a time: often an older one is free again before the new one is there.
        if not self.opening and len(self.servers) < self.size:
            self.opening = True
            self.asked.server()

    def _offer(self, server: PoolServer) -> None:
        if server not in self.servers:
            return
        while self.waiting:
            client = self.waiting.popleft()
            client.waiting_since = None
            if self._give(server, client):
                client.served()
            return
        server.idle_since = time.monotonic()
        self.free.append(server)

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
        self.servers.discard(server)
        if server in self.free:
            self.free.remove(server)
        client, server.client = server.client, None
        if client is not None:
            client.server = None
        server.stream.stop()
        server.stream.sock.close()
        return client
