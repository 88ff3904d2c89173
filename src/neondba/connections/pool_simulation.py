"""Simulate requests on their way to the database: application pool, login, pooler, server connection.

Plain discrete events. A compute that sleeps wakes with the first login; logins at the same time share the
door; the pooler opens server connections one at a time, as PgBouncer does, and serves who waits in turn.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Literal

from neondba.connections.pool_door import Door, Login

Failure = Literal[
    "pool_timeout", "connect_timeout", "query_wait_timeout", "max_client_conn", "too many connections"
]


@dataclass(frozen=True)
class Times:
    """How long each step takes, in seconds."""

    service: float
    """A request keeps its server connection."""
    wake: float = 0.0
    """From the first login until the compute takes connections; none when it is awake."""
    login: float = 0.0
    """A client's login at a compute that is awake, when nobody else comes."""
    logins: tuple[float, ...] = ()
    """Several such times, where they vary: each client gets one of them."""
    door: float = 0.0
    """Processor time of a login: what many at the same time have to share."""
    opening: float = 0.0
    """The pooler opens one server connection."""
    varies: bool = False
    """True for service times that vary around the mean as those of real statements do."""


@dataclass(frozen=True)
class Room:
    """How many find room where, and how long they wait for it; None is without end."""

    servers: int
    """Server connections: the pooler's for this role and database, or all that clients may have."""
    pooled: bool = True
    processes: int = 1
    pool: int | None = None
    """Connections of each process; without a pool each request makes its own."""
    one_at_a_time: bool = False
    """True for a pool that grows by one connection at a time, as psycopg's does."""
    clients: int = 10_000
    """Clients of the pooler."""
    pool_timeout: float | None = None
    connect_timeout: float | None = None
    query_wait_timeout: float | None = 120.0
    warm: bool = False
    """True where all pools are full of idle connections when it begins."""


@dataclass
class Outcome:
    """What became of the requests."""

    took: list[float] = field(default_factory=list)
    """Seconds from arrival to answer, of those that were answered, ascending."""
    failed: Counter[Failure] = field(default_factory=Counter)
    most_clients: int = 0
    most_servers: int = 0
    most_busy: int = 0
    """Most that worked for a request at the same time."""
    most_queued: int = 0
    """Most that waited in one process's pool at the same time."""
    most_waiting: int = 0
    """Most that waited at the pooler at the same time."""
    over: float = 0.0
    """When the last one was answered or gave up."""

    @property
    def requests(self) -> int:
        """How many came."""
        return len(self.took) + self.failed.total()

    def at(self, share: float) -> float | None:
        """Give the time within which this share of those who were answered had their answer."""
        if not self.took:
            return None
        return self.took[min(len(self.took) - 1, math.ceil(share * len(self.took)) - 1)]


def at_once(requests: int) -> list[float]:
    """Let all arrive in the same moment."""
    return [0.0] * requests


def evenly(requests: int, per_second: float) -> list[float]:
    """Let them arrive one by one."""
    return [number / per_second for number in range(requests)]


def by_chance(requests: int, per_second: float, chance: Random) -> list[float]:
    """Let them arrive as independent users do."""
    now, arrivals = 0.0, []
    for _ in range(requests):
        now += chance.expovariate(per_second)
        arrivals.append(now)
    return arrivals


def simulate(arrivals: Sequence[float], times: Times, room: Room, chance: Random) -> Outcome:
    """Follow every request to its answer or its failure."""
    return _Run(times, room, chance).go(arrivals)


@dataclass(eq=False)
class _Process:
    """One process of the application and its pool."""

    open: int = 0
    idle: int = 0
    grows: bool = False
    """A connection is on its way that no request has asked for by itself."""
    waiting: deque[_Request] = field(default_factory=deque)


@dataclass(eq=False)
class _Request:
    came: float
    process: _Process
    inside: bool = False
    """Logged in."""
    over: bool = False
    grown: bool = False
    """No request at all: a connection by which a pool grows."""


class _Run:
    """The state of one simulation."""

    def __init__(self, times: Times, room: Room, chance: Random) -> None:
        self._times, self._room, self._chance = times, room, chance
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._made = 0
        self._now = 0.0
        self._awake_at: float | None = None
        self._door = Door(times.door, self._at)
        self._clients = self._servers = self._idle_servers = self._busy = 0
        self._opening = False
        self._queue: deque[_Request] = deque()
        self.outcome = Outcome()

    def go(self, arrivals: Sequence[float]) -> Outcome:
        """Run until nothing is left to happen."""
        processes = [_Process() for _ in range(self._room.processes)]
        if self._room.warm:
            self._warm_up(processes)
        for number, when in enumerate(arrivals):
            request = _Request(when, processes[number % len(processes)])
            self._at(when, lambda request=request: self._arrives(request))  # type: ignore[misc]
        while self._events:
            self._now, _, happen = heappop(self._events)
            happen()
        self.outcome.took.sort()
        return self.outcome

    def _warm_up(self, processes: list[_Process]) -> None:
        each = self._room.pool or 0
        self._awake_at, self._clients = 0.0, each * len(processes)
        self.outcome.most_clients = self._clients
        if self._room.pooled:
            self._servers = self._idle_servers = self._room.servers
        else:
            each = min(each, self._room.servers // len(processes))
            self._servers = each * len(processes)
        for process in processes:
            process.open = process.idle = each

    def _at(self, when: float, happen: Callable[[], None]) -> None:
        self._made += 1
        heappush(self._events, (when, self._made, happen))

    def _arrives(self, request: _Request) -> None:
        process, most = request.process, self._room.pool
        if most is not None and process.idle:
            process.idle -= 1
            self._asks(request)
        elif most is None or (process.open < most and not self._room.one_at_a_time):
            process.open += 1
            self._logs_in(request)
        else:
            process.waiting.append(request)
            self.outcome.most_queued = max(self.outcome.most_queued, len(process.waiting))
            self._give_up(request, self._room.pool_timeout, "pool_timeout", process.waiting)
            self._grows(process)

    def _grows(self, process: _Process) -> None:
        """Open one more connection for whoever waits, unless one is on its way."""
        if not self._room.one_at_a_time or process.grows or not process.waiting:
            return
        if process.open < (self._room.pool or 0):
            process.grows = True
            process.open += 1
            self._logs_in(_Request(self._now, process, grown=True))

    def _has_grown(self, process: _Process) -> None:
        process.grows = False
        if process.waiting:
            self._asks(process.waiting.popleft())
        else:
            process.idle += 1
        self._grows(process)

    def _give_up(self, request: _Request, after: float | None, why: Failure, queue: deque[_Request]) -> None:
        """Let it fail unless it has left the queue by then."""
        if after is None:
            return

        def check() -> None:
            if request in queue:
                queue.remove(request)
                self._fails(request, why)
                if queue is self._queue:
                    self._closes(request)

        self._at(self._now + after, check)

    def _fails(self, request: _Request, why: Failure) -> None:
        request.over = True
        if request.grown:
            request.process.grows = False
            return
        self.outcome.failed[why] += 1
        self.outcome.over = max(self.outcome.over, self._now)

    def _logs_in(self, request: _Request) -> None:
        self._clients += 1
        self.outcome.most_clients = max(self.outcome.most_clients, self._clients)
        if self._awake_at is None:
            self._awake_at = self._now + self._times.wake
        if self._room.pooled and self._clients > self._room.clients:
            self._refused(request, "max_client_conn")
            return
        alone = self._chance.choice(self._times.logins) if self._times.logins else self._times.login
        soonest = self._now + alone
        login = self._door.enter(self._now, lambda: self._through(request, soonest))
        limit = self._room.connect_timeout
        if limit is not None:
            self._at(self._now + limit, lambda: self._gives_up_login(request, login))

    def _through(self, request: _Request, soonest: float) -> None:
        """Come in when all answers have come, and the compute is awake."""
        self._at(max(self._now, soonest, self._awake_at or 0.0), lambda: self._enters(request))

    def _gives_up_login(self, request: _Request, login: Login) -> None:
        if not request.inside and not request.over:
            self._door.leave(self._now, login)
            self._refused(request, "connect_timeout")

    def _refused(self, request: _Request, why: Failure) -> None:
        self._fails(request, why)
        self._closes(request)

    def _enters(self, request: _Request) -> None:
        if request.over:
            return
        request.inside = True
        if self._room.pooled:
            self._goes_on(request)
        elif self._servers >= self._room.servers:
            self._refused(request, "too many connections")
        else:
            self._one_more_server()
            self._goes_on(request)

    def _goes_on(self, request: _Request) -> None:
        if request.grown:
            self._has_grown(request.process)
        else:
            self._asks(request)

    def _one_more_server(self) -> None:
        self._servers += 1
        self.outcome.most_servers = max(self.outcome.most_servers, self._servers)

    def _asks(self, request: _Request) -> None:
        if not self._room.pooled:
            self._runs(request)
        elif self._idle_servers:
            self._idle_servers -= 1
            self._runs(request)
        else:
            self._queue.append(request)
            self._give_up(request, self._room.query_wait_timeout, "query_wait_timeout", self._queue)
            self._open()
            self.outcome.most_waiting = max(self.outcome.most_waiting, len(self._queue))

    def _open(self) -> None:
        if self._opening or not self._queue or self._servers >= self._room.servers:
            return
        if not self._servers:
            # The first was opened to let anybody in at all.
            self._opened()
            return
        self._opening = True
        self._at(self._now + self._times.opening, self._opened)

    def _opened(self) -> None:
        self._opening = False
        self._one_more_server()
        self._free()
        self._open()

    def _free(self) -> None:
        if self._queue:
            self._runs(self._queue.popleft())
        else:
            self._idle_servers += 1

    def _runs(self, request: _Request) -> None:
        self._busy += 1
        self.outcome.most_busy = max(self.outcome.most_busy, self._busy)
        mean = self._times.service
        length = self._chance.expovariate(1 / mean) if self._times.varies and mean else mean
        self._at(self._now + length, lambda: self._answered(request))

    def _answered(self, request: _Request) -> None:
        self._busy -= 1
        self.outcome.took.append(self._now - request.came)
        self.outcome.over = max(self.outcome.over, self._now)
        if self._room.pooled:
            self._free()
        process = request.process
        if self._room.pool is None:
            self._closes(request)
        elif process.waiting:
            self._asks(process.waiting.popleft())
        else:
            process.idle += 1

    def _closes(self, request: _Request) -> None:
        """Let go of a client connection; who waits for one in this process may make another."""
        process = request.process
        self._clients -= 1
        process.open -= 1
        if not self._room.pooled and request.over is False:
            self._servers -= 1
        if self._room.one_at_a_time:
            if not request.grown:
                self._grows(process)
        elif process.waiting:
            process.open += 1
            self._logs_in(process.waiting.popleft())
