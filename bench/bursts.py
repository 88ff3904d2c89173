"""Bursts at a suspended compute of the local Neon, beside the simulation of `pool.advise`; prints ratios.

The simulation is fed with what was measured one by one beforehand: the wake, a login, the processor time of
a login when many come to an awake compute, the opening of a server connection, the service time. It never
sees a burst at a suspended compute. A second column is fed with wake and service time alone: what is missing
there is what logins cost on this machine, where clients, proxy and compute share the processors.

Run: python bench/bursts.py [NUMBER ...], the numbers being those of WAYS. ROUNDS (3) is how often each is
measured; the medians are compared. On a busy machine logins that come at once may not finish in time.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "connections"))

import psycopg
from connected import Shop
from psycopg_pool import AsyncConnectionPool

from neondba.connections.pool_simulation import Outcome, Room, Times, at_once, evenly, simulate
from neondba.local import launch
from neondba.neon.limits import Size


@dataclass(frozen=True)
class Way:
    """How many come, how fast, how long each works; through which pools, if any."""

    requests: int
    service: float
    per_second: float | None = None
    pools: int = 0
    size: int = 0

    def __str__(self) -> str:
        how = "at once" if self.per_second is None else f"at {self.per_second:g}/s"
        through = (
            f" through {self.pools} pools of {self.size}" if self.pools else ", each a connection of its own"
        )
        return f"{self.requests} requests {how}{through}, {self.service * 1000:g} ms each"

    def arrivals(self) -> list[float]:
        return at_once(self.requests) if self.per_second is None else evenly(self.requests, self.per_second)

    def room(self, servers: int) -> Room:
        return (
            Room(servers, processes=self.pools, pool=self.size, one_at_a_time=True)
            if self.pools
            else Room(servers)
        )

    def real(self, url: str) -> list[float]:
        if self.pools:
            return asyncio.run(_pooled(url, self.arrivals(), self.pools, self.size, self.service))
        return asyncio.run(_burst(url, self.arrivals(), self.service))


WAYS = (
    Way(50, 0.1),
    Way(200, 0.1),
    Way(200, 0.5),
    Way(300, 0.5),
    Way(50, 0.2, per_second=5),
    Way(400, 0.1, pools=4, size=10),
    Way(1000, 0.05, pools=4, size=15),
    Way(60, 1.0, pools=2, size=5),
    Way(150, 0.3, per_second=25, pools=1, size=10),
    Way(60, 0.8, per_second=10, pools=1, size=10),
)
"""Rates that two cores carry: what statements and logins take from each other there is not simulated."""
ROUNDS = int(os.environ.get("ROUNDS", "3"))
STEPS = ("wake", "login", "door", "opening", "service")


async def _opened(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=120)


async def _closed(connections: list[psycopg.AsyncConnection]) -> None:
    for connection in connections:
        await connection.close()


async def _burst(url: str, arrivals: list[float], service: float) -> list[float]:
    """Let clients come; give the seconds that each waited for its answer."""
    begun = time.monotonic()
    opened = []

    async def client(when: float) -> float:
        await asyncio.sleep(max(0.0, begun + when - time.monotonic()))
        start = time.monotonic()
        opened.append(connection := await _opened(url))
        await connection.execute(f"select pg_sleep({service})")
        return time.monotonic() - start

    took = await asyncio.gather(*map(client, arrivals))
    await _closed(opened)
    return sorted(took)


async def _pooled(url: str, arrivals: list[float], pools: int, size: int, service: float) -> list[float]:
    """Let requests come to the pools of so many processes in turn; give the seconds of each."""
    made = [
        AsyncConnectionPool(
            url, min_size=0, max_size=size, timeout=600, open=False, kwargs={"autocommit": True}
        )
        for _ in range(pools)
    ]
    for pool in made:
        await pool.open()

    begun = time.monotonic()

    async def request(number: int, when: float) -> float:
        await asyncio.sleep(max(0.0, begun + when - time.monotonic()))
        start = time.monotonic()
        async with made[number % pools].connection() as connection:
            await connection.execute(f"select pg_sleep({service})")
        return time.monotonic() - start

    took = await asyncio.gather(*(request(*each) for each in enumerate(arrivals)))
    for pool in made:
        await pool.close()
    return sorted(took)


async def _login(url: str) -> float:
    start = time.monotonic()
    connection = await _opened(url)
    await connection.execute("select 1")
    took = time.monotonic() - start
    await connection.close()
    return took


async def _door(url: str, clients: int) -> float:
    """Give the processor time of a login: what many at once share."""
    start = time.monotonic()
    opened = await asyncio.gather(*(_opened(url) for _ in range(clients)))
    took = time.monotonic() - start
    await _closed(opened)
    return took / clients


async def _opening(url: str, clients: int) -> float:
    """Give the seconds between two server connections that the pooler opens."""
    opened = await asyncio.gather(*(_opened(url) for _ in range(clients)))

    async def one(connection: psycopg.AsyncConnection) -> float:
        await connection.execute("select pg_sleep(1)")
        return time.monotonic()

    ends = sorted(await asyncio.gather(*map(one, opened)))
    await _closed(opened)
    return (ends[-1] - ends[0]) / (clients - 1)


async def _service(url: str, seconds: float, clients: int) -> float:
    """Give the mean time of a statement when so many are at work."""
    opened = await asyncio.gather(*(_opened(url) for _ in range(clients)))
    took = []

    async def one(connection: psycopg.AsyncConnection, *, counts: bool) -> None:
        start = time.monotonic()
        await connection.execute(f"select pg_sleep({seconds})")
        if counts:
            took.append(time.monotonic() - start)

    # The first round opens server connections.
    for counts in (False, True, True):
        await asyncio.gather(*(one(each, counts=counts) for each in opened))
    await _closed(opened)
    return statistics.mean(took)


def measured(shop: Shop, url: str, service: float, clients: int) -> Times:
    """Measure each step by itself."""
    run = asyncio.run
    shop.suspend()
    woken = run(_login(url))
    logins = tuple(run(_login(url)) for _ in range(20))
    login = statistics.median(logins)
    door = run(_door(url, clients))
    # Awake again: its pool has one server connection.
    shop.suspend()
    woken = (woken + run(_login(url))) / 2
    opening = run(_opening(url, 30))
    return Times(
        service=run(_service(url, service, min(clients, 90))),
        wake=max(0.0, woken - login),
        login=login,
        logins=logins,
        door=door,
        opening=opening,
    )


def shown(outcome: Outcome) -> tuple[float, float, float]:
    return tuple(outcome.at(share) or 0.0 for share in (0.5, 0.95, 1.0))  # type: ignore[return-value]


def between(before: Times, after: Times) -> Times:
    """Give the means of what was measured before and after a burst."""
    means = {name: (getattr(before, name) + getattr(after, name)) / 2 for name in STEPS}
    return Times(**means, logins=before.logins + after.logins)


def compare(shop: Shop, way: Way) -> float:
    """Measure steps and bursts in turn, so that both see the same load; give the largest error."""
    real, said, bare, steps = [], [], [], []
    room = way.room(Size(0.25, 0.25).pool_size)
    logins = min(way.requests, way.pools * way.size or way.requests, 100)
    before = measured(shop, shop.pooled, way.service, logins)
    for number in range(ROUNDS):
        shop.suspend()
        real.append(shown(Outcome(way.real(shop.pooled))))
        after = measured(shop, shop.pooled, way.service, logins)
        times, before = between(before, after), after
        steps.append(times)
        chance = random.Random(number)
        said.append(shown(simulate(way.arrivals(), times, room, chance)))
        bare.append(shown(simulate(way.arrivals(), Times(times.service, times.wake), room, chance)))
    print(f"{way}; load {os.getloadavg()[0]:.1f}")
    of = {name: statistics.median(getattr(each, name) for each in steps) * 1000 for name in STEPS}
    print("  measured: " + ", ".join(f"{name} {value:.1f} ms" for name, value in of.items()))
    worst = 0.0
    for part, name in enumerate(("median", "95th", "max")):
        here, there, plain = (statistics.median(row[part] for row in rows) for rows in (real, said, bare))
        worst = max(worst, abs(there / here - 1))
        print(
            f"  {name:6}  real {here:6.3f} s  simulated {there:6.3f} s  ratio {there / here:.2f}  "
            f"(wake and service alone: {plain / here:.2f})",
            flush=True,
        )
    return worst


def main() -> None:
    state = Path(tempfile.mkdtemp()) / "state"
    shop = Shop(state, launch.ensure(state))
    worst = 0.0
    try:
        for way in [WAYS[int(number) - 1] for number in sys.argv[1:]] or WAYS:
            worst = max(worst, compare(shop, way))
    finally:
        launch.stop(state)
        shutil.rmtree(state.parent)
    print(f"farthest from 1: {worst:.0%}")


if __name__ == "__main__":
    main()
