"""The simulation agrees with arithmetic where there is some, and with a real burst."""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import replace

import pytest
from psycopg_pool import AsyncConnectionPool

from neondba.connections.pool_simulation import Room, Times, at_once, by_chance, evenly, simulate


def run(arrivals, times, room):
    return simulate(arrivals, times, room, random.Random(7))


def test_requests_at_once_are_served_in_turns():
    done = run(at_once(100), Times(0.1), Room(servers=8))
    assert done.took[-1] == pytest.approx(math.ceil(100 / 8) * 0.1)
    assert (done.most_busy, done.most_clients, done.most_waiting) == (8, 100, 99)


def test_the_wake_comes_before_everything_and_only_once():
    done = run(evenly(10, 5), Times(0.1, wake=0.5), Room(servers=8))
    assert done.took[-1] == pytest.approx(0.6)
    assert done.took[0] == pytest.approx(0.1)


def test_server_connections_are_opened_one_at_a_time():
    done = run(at_once(5), Times(1.0, opening=0.01), Room(servers=10))
    assert done.took == pytest.approx([1.0, 1.01, 1.02, 1.03, 1.04])


def test_logins_at_once_share_the_processors():
    done = run(at_once(50), Times(0.0, login=0.02, door=0.01), Room(servers=50))
    assert done.took[0] == done.took[-1] == pytest.approx(0.5)
    alone = run(evenly(50, 1), Times(0.0, login=0.02, door=0.01), Room(servers=50))
    assert alone.took[-1] == pytest.approx(0.02)


def test_a_pool_that_is_too_small_lets_requests_fail_after_its_timeout():
    done = run(at_once(100), Times(1.0), Room(servers=90, processes=2, pool=5, pool_timeout=2.5))
    assert len(done.took) == 30
    assert done.failed == {"pool_timeout": 70}


def test_a_pool_that_grows_one_by_one_keeps_requests_waiting_longer():
    times = Times(1.0, login=0.2)
    room = Room(servers=90, processes=1, pool=5)
    assert run(at_once(5), times, room).took == pytest.approx([1.2] * 5)
    slowly = run(at_once(5), times, replace(room, one_at_a_time=True))
    assert slowly.took == pytest.approx([1.2, 1.4, 1.6, 1.8, 2.0])
    later = run(at_once(7), times, replace(room, one_at_a_time=True))
    assert later.took[-2:] == pytest.approx([2.2, 2.4])
    refused = run(at_once(5), times, replace(room, one_at_a_time=True, pooled=False, servers=3))
    assert len(refused.took) == 5


def test_a_connect_timeout_below_the_wake_fails_all_that_come_meanwhile():
    room = Room(servers=90, connect_timeout=0.4)
    assert run(at_once(20), Times(0.1, wake=0.5), room).failed == {"connect_timeout": 20}
    late = run(evenly(20, 10), Times(0.1, wake=0.55), room)
    assert late.failed == {"connect_timeout": 2}


def test_the_pooler_ends_who_waits_too_long_and_refuses_who_is_one_too_many():
    done = run(at_once(30), Times(50.0), Room(servers=10))
    assert len(done.took) == 30
    done = run(at_once(40), Times(50.0), Room(servers=10))
    assert (len(done.took), done.failed) == (30, {"query_wait_timeout": 10})
    assert run(at_once(30), Times(1.0), Room(servers=9, clients=20)).failed == {"max_client_conn": 10}


def test_the_direct_address_refuses_what_is_more_than_its_connections():
    done = run(at_once(120), Times(1.0), Room(servers=97, pooled=False))
    assert (len(done.took), done.failed) == (97, {"too many connections": 23})


def erlang_wait(rate: float, seconds: float, servers: int) -> float:
    """Give the mean time in an M/M/c queue before service, by Erlang's C formula."""
    load = rate * seconds
    below = sum(load**n / math.factorial(n) for n in range(servers))
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (below + last) * seconds / (servers - load)


@pytest.mark.parametrize("share", [0.6, 0.8])
def test_waits_under_load_are_those_of_erlangs_formula(share):
    servers, seconds = 10, 0.02
    rate = share * servers / seconds
    chance = random.Random(3)
    room = Room(servers=servers, processes=1, pool=1000, warm=True)
    done = simulate(by_chance(20_000, rate, chance), Times(seconds, varies=True), room, chance)
    mean = sum(done.took) / len(done.took)
    assert mean == pytest.approx(seconds + erlang_wait(rate, seconds, servers), rel=0.06)


async def _burst(url: str, requests: int, pools: int, size: int, seconds: float) -> list[float]:
    made = [
        AsyncConnectionPool(url, min_size=0, max_size=size, open=False, kwargs={"autocommit": True})
        for _ in range(pools)
    ]
    for pool in made:
        await pool.open()

    async def request(number: int) -> float:
        start = time.monotonic()
        async with made[number % pools].connection() as connection:
            await connection.execute(f"select pg_sleep({seconds})")
        return time.monotonic() - start

    took = await asyncio.gather(*map(request, range(requests)))
    for pool in made:
        await pool.close()
    return sorted(took)


def test_a_real_burst_at_a_suspended_compute_is_answered_wave_by_wave_as_simulated(shop):
    shop.suspend()
    real = asyncio.run(_burst(shop.pooled, 40, 2, 4, 0.4))
    told = run(at_once(40), Times(0.4), Room(servers=93, processes=2, pool=4)).took
    assert told[7::8] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    # Wake, logins and other work on the machine come on top: bench/bursts.py measures those, too.
    assert all(one >= other for one, other in zip(real, told, strict=True))
    assert real[-1] < 5 * told[-1]
