"""Many clients that create and delete branches of one parent at once, while others write to it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import psycopg
from crash_checks import Place, compare, settled
from crash_shop import BUSY, Content, Shop, ask


@dataclass
class Crowd:
    """What the clients did, and how long they and the parent waited."""

    created: list[float] = field(default_factory=list)
    deleted: list[float] = field(default_factory=list)
    retried: int = 0
    failed: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Seconds that each statement on the parent took."""
    guard: threading.Lock = field(default_factory=threading.Lock)


def run(shop: Shop, count: int, writers: int = 1) -> Crowd:
    """Have so many clients create a branch each at once, and every other delete it again."""
    crowd, stop = Crowd(), threading.Event()
    others = [threading.Thread(target=shop.write, args=(stop,)) for _ in range(writers)]
    others.append(threading.Thread(target=_probe, args=(shop, crowd, stop)))
    for each in others:
        each.start()
    try:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda number: _client(shop, crowd, number), range(count)))
    finally:
        stop.set()
        for each in others:
            each.join()
    return crowd


def _client(shop: Shop, crowd: Crowd, number: int) -> None:
    endpoints = [{"type": "read_write"}] if number % 5 == 0 else []
    body = {"branch": {"name": f"crowd-{number}"}, "endpoints": endpoints}
    begun, content = time.monotonic(), shop.now()
    made = _persist(shop, crowd, "POST", "/branches", body)
    if made is None:
        return
    branch_id = made["branch"]["id"]
    with crowd.guard:
        crowd.created.append(time.monotonic() - begun)
        shop.contents[branch_id] = [shop.until_now(content)]
    if number % 2 == 0:
        begun = time.monotonic()
        shop.leaving.add(branch_id)
        if _persist(shop, crowd, "DELETE", f"/branches/{branch_id}?hard_delete=true") is not None:
            with crowd.guard:
                crowd.deleted.append(time.monotonic() - begun)
                shop.left.add(branch_id)


def _persist(shop: Shop, crowd: Crowd, method: str, path: str, body: object = None) -> dict | None:
    """Ask until the project is free."""
    while True:
        status, answer = ask(shop.port, method, shop.base + path, body)
        with crowd.guard:
            if status == BUSY:
                crowd.retried += 1
                continue
            if status >= 300:
                crowd.failed.append(f"{method} {path}: {status} {answer.get('message')}")
        return answer if status < 300 else None


def _probe(shop: Shop, crowd: Crowd, stop: threading.Event) -> None:
    """Ask the parent small things, and note how long each took."""
    with closing(psycopg.connect(shop.uri(shop.main), autocommit=True)) as session:
        while not stop.wait(0.002):
            begun = time.perf_counter()
            session.execute("update person set email = email where id = 1")
            crowd.waits.append(time.perf_counter() - begun)


def checked(place: Place, shop: Shop) -> tuple[int, list[str]]:
    """Check every branch that is there; give how many, and what is wrong."""
    settled(place, shop, set())
    compare(place, shop)
    return len(shop.contents) + 1, shop.faults.said


__all__ = ["Content", "Crowd", "checked", "run"]
