"""Put steps into an order that respects what must come before what."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

N = TypeVar("N")


class Graph(Generic[N]):
    """Steps, and which of them wait for which."""

    def __init__(self) -> None:
        self.waits: dict[N, set[N]] = {}

    def add(self, step: N) -> None:
        """Put in a step."""
        self.waits.setdefault(step, set())

    def then(self, first: N, second: N) -> None:
        """Let one step wait for another; both must have been put in, or nothing happens."""
        if first != second and first in self.waits and second in self.waits:
            self.waits[second].add(first)

    def ordered(self, rank: Callable[[N], Any]) -> tuple[list[N], set[N]]:
        """Order the steps, by rank where they are free; give those that wait for each other besides."""
        waits = {step: set(before) for step, before in self.waits.items()}
        followers: dict[N, list[N]] = {}
        for step, before in waits.items():
            for each in before:
                followers.setdefault(each, []).append(step)
        ready = [(rank(step), step) for step, before in waits.items() if not before]
        heapify(ready)
        done: list[N] = []
        while ready:
            _, step = heappop(ready)
            done.append(step)
            for follower in followers.get(step, []):
                waits[follower].discard(step)
                if not waits[follower]:
                    heappush(ready, (rank(follower), follower))
        return done, waits.keys() - set(done)

    def cut(self, step: N) -> None:
        """Let a step wait for nothing any more."""
        self.waits[step] = set()
