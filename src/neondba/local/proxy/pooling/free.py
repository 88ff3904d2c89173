"""The server connections that nobody uses; the native part keeps most of them, where there is one."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from neondba.local.proxy.pooling.settings import TRACKED

if TYPE_CHECKING:
    from neondba.local.proxy.pooling.server import PoolServer

MOST_KEYS: Final = 4096


class Free:
    """Last in, first out: the connection used last is the warmest."""

    def __init__(self, core: Any, servers: dict[int, PoolServer]) -> None:
        self._core, self._servers = core, servers
        self._mine: list[PoolServer] = []
        self.pool: int = core.pool() if core is not None else -1
        self._keys: dict[tuple[str, ...], int] = {}
        self._numbers = count()

    def key(self, parameters: dict[str, str]) -> int:
        """Give a number that only these parameters have; others may have been forgotten."""
        values = tuple(parameters[name] for name in TRACKED)
        if len(self._keys) >= MOST_KEYS:
            self._keys.clear()
        if values not in self._keys:
            self._keys[values] = next(self._numbers)
        return self._keys[values]

    def push(self, server: PoolServer) -> None:
        """Put a server connection here."""
        server.idle_since = time.monotonic()
        if self._core is not None and server.quiet:
            fd = server.stream.fd
            if self._core.offer(fd, self.pool, self.key(server.parameters)):
                server.stream.lend()
                return
        self._mine.append(server)

    def draw(self, parameters: dict[str, str]) -> PoolServer | None:
        """Take one, best with these parameters."""
        if self._mine:
            return self._mine.pop()
        if self._core is None:
            return None
        fd = self._core.draw(self.pool, self.key(parameters))
        if fd < 0:
            return None
        server = self._servers[fd]
        server.stream.regain()
        return server

    def remove(self, server: PoolServer) -> None:
        """Take this one, if it is here."""
        if server in self._mine:
            self._mine.remove(server)

    def stale(self, limit: float, now: float) -> list[PoolServer]:
        """Give those that nobody used for so long."""
        found = [server for server in self._mine if now - server.idle_since > limit]
        if self._core is not None:
            found += [self._servers[fd] for fd in self._core.stale(self.pool, limit)]
        return found
