"""Simulate the burst at wake-up and the load afterwards, with the figures at hand."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from neondba.connections.pool_fit import concurrency, demand
from neondba.connections.pool_inputs import Inputs
from neondba.connections.pool_results import Simulated
from neondba.connections.pool_simulation import Outcome, Room, Times, at_once, by_chance, simulate
from neondba.neon.limits import MAX_CLIENT_CONN, QUERY_WAIT_TIMEOUT

SEED: Final = 1
"""The same question gets the same answer."""
OPENING: Final = 0.005
"""Seconds in which the pooler opens a server connection (assumed)."""
SHARES: Final = (0.5, 0.8, 0.95, 1.2)
"""Of what the connections carry."""
REQUESTS: Final = 2000


def at_wake(inputs: Inputs, name: str) -> Simulated:
    """Let the burst come to a compute that sleeps."""
    wake, login = ((each.value or 0) / 1000 for each in (inputs.compute.wake, inputs.compute.login))
    times = Times((inputs.service.value or 0) / 1000, wake=wake, login=login, opening=OPENING)
    return told(name, simulate(at_once(inputs.burst.whole), times, room(inputs), _chance()))


def at_restart(inputs: Inputs, name: str) -> Simulated:
    """Let every connection of the application come back at once: the compute's bounds were changed."""
    back = demand(inputs).total
    wake, login = ((each.value or 0) / 1000 for each in (inputs.compute.wake, inputs.compute.login))
    times = Times((inputs.service.value or 0) / 1000, wake=wake, login=login, opening=OPENING)
    alone = replace(room(inputs), pool=None)
    return told(name, simulate(at_once(min(back, MAX_CLIENT_CONN)), times, alone, _chance()))


def under_load(inputs: Inputs) -> list[Simulated]:
    """Let requests come by chance: at the rate that is given, else at shares of what fits."""
    seconds = (inputs.service.value or 0) / 1000
    most = concurrency(inputs, demand(inputs), inputs.compute.size) / seconds
    rates = [inputs.rate.value or 1.0] if inputs.rate else [most * share for share in SHARES]
    full = replace(room(inputs), warm=True)
    login = 0.0 if full.pool is not None else (inputs.compute.login.value or 0) / 1000
    times = Times(seconds, login=login, opening=OPENING, varies=True)
    found = []
    for rate in rates:
        chance = _chance()
        outcome = simulate(by_chance(REQUESTS, rate, chance), times, full, chance)
        found.append(told(f"{rate:.0f} a second ({rate / most:.0%})", outcome))
    return found


def _chance() -> Random:
    return Random(SEED)  # noqa: S311 - nothing is kept secret with it


def room(inputs: Inputs) -> Room:
    """Say how many find room where."""
    size, wanted = inputs.compute.size, demand(inputs)
    pool = None if inputs.serverless or inputs.size.value is None else wanted.each
    if pool is not None and inputs.threads is not None:
        pool = min(pool, inputs.threads.whole)
    return Room(
        servers=size.pool_size if inputs.pooled else size.usable_connections,
        pooled=inputs.pooled,
        processes=max(1, inputs.processes),
        pool=pool,
        one_at_a_time=inputs.main.of.one_at_a_time,
        clients=MAX_CLIENT_CONN,
        pool_timeout=inputs.pool_timeout.value,
        connect_timeout=inputs.connect_timeout.value,
        query_wait_timeout=QUERY_WAIT_TIMEOUT,
    )


def told(name: str, outcome: Outcome) -> Simulated:
    """Sum up a simulation."""

    def ms(share: float) -> float | None:
        found = outcome.at(share)
        return None if found is None else round(found * 1000, 1)

    return Simulated(
        name=name,
        requests=outcome.requests,
        answered=len(outcome.took),
        median_ms=ms(0.5),
        p95_ms=ms(0.95),
        longest_ms=ms(1.0),
        failed=dict(outcome.failed),
        clients=outcome.most_clients,
        busy=outcome.most_busy,
        queued=outcome.most_queued,
        waiting=outcome.most_waiting,
    )
