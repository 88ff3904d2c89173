"""Server connections that wait for the next request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from neondba.postgres.wire_query import Disconnected, ServerError, TooLarge, WireConnection

PER_COMPUTE: Final = 20
IDLE_LIMIT: Final = 300.0
RESET_LIMIT: Final = 1 << 16

Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class _Idle:
    connection: WireConnection
    since: float


class Pool:
    """Idle connections by compute and login; they keep no compute awake."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._idle: dict[Key, list[_Idle]] = {}
        self._guard = threading.Lock()
        self._closed = False

    def take(self, folder: str, parameters: dict[str, str]) -> WireConnection:
        """Give a connection that works, waiting or new.

        Raises:
            Disconnected: nobody listens there.
            ServerError: the server does not let us in.
        """
        key = _key(folder, parameters)
        while True:
            with self._guard:
                waiting = self._idle.get(key, [])
                found = waiting.pop() if waiting else None
            if found is None:
                return WireConnection(folder, parameters)
            if found.connection.usable():
                return found.connection
            found.connection.close()

    def give_back(self, folder: str, parameters: dict[str, str], connection: WireConnection) -> None:
        """Keep a connection for the next one, without what the last one has set in it."""
        if not self._reset(connection):
            connection.close()
            return
        self.expire()
        with self._guard:
            kept = sum(len(waiting) for (place, _), waiting in self._idle.items() if place == folder)
            if kept < PER_COMPUTE and not self._closed:
                waiting = self._idle.setdefault(_key(folder, parameters), [])
                waiting.append(_Idle(connection, self._monotonic()))
                return
        connection.close()

    def expire(self) -> None:
        """Close the connections that nobody has wanted for a while."""
        oldest = self._monotonic() - IDLE_LIMIT
        self._close(lambda idle: idle.since < oldest)

    def close(self) -> None:
        """Close all connections."""
        with self._guard:
            self._closed = True
        self._close(lambda _: True)

    def waiting(self) -> int:
        """Count the connections that wait."""
        with self._guard:
            return sum(len(waiting) for waiting in self._idle.values())

    def _close(self, over: Callable[[_Idle], bool]) -> None:
        ended: list[_Idle] = []
        with self._guard:
            for key, waiting in list(self._idle.items()):
                ended += [idle for idle in waiting if over(idle)]
                self._idle[key] = [idle for idle in waiting if not over(idle)]
                if not self._idle[key]:
                    del self._idle[key]
        for idle in ended:
            idle.connection.close()

    @staticmethod
    def _reset(connection: WireConnection) -> bool:
        if not connection.usable():
            return False
        try:
            connection.run("discard all", [], RESET_LIMIT)
        except (ServerError, Disconnected, TooLarge):
            return False
        return connection.usable()


def _key(folder: str, parameters: dict[str, str]) -> Key:
    return folder, tuple(sorted(parameters.items()))
