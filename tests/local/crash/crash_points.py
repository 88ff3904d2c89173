"""Kill processes at random moments while clients work, start again, and compare."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from crash_actions import act
from crash_checks import Place, compare, nothing_unowned, settled
from crash_shop import Gone, Shop, ask, opened

from neondba.local import launch

KINDS = ("server", "compute", "both")
LONGEST = 3.0


@dataclass
class Point:
    """One crash: what was killed, what was in flight, and what was found wrong."""

    number: int
    kind: str
    after: float
    killed: int = 0
    inflight: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    took: float = 0.0


class Crashes:
    """A local Neon that is killed again and again."""

    def __init__(self, place: Place, seed: str, shops: int = 2, longest: float = LONGEST) -> None:
        self.place, self.seed, self.longest = place, seed, longest
        port = launch.ensure(place.state).api_port
        self.shops = [opened(port, f"shop-{number}") for number in range(shops)]
        for shop in self.shops:
            shop.state = place.state
        self.failed: set[str] = set()
        self.done: dict[str, int] = {}

    def point(self, number: int, *, amcheck: bool = True) -> Point:
        """Work, kill, start again and compare."""
        chance = Random(f"{self.seed}-{number}")
        point = Point(number, KINDS[number % 3], chance.uniform(0.1, self.longest))
        begun, stop = time.monotonic(), threading.Event()
        self._open()
        clients = [threading.Thread(target=shop.write, args=(stop,), daemon=True) for shop in self.shops] + [
            threading.Thread(target=act, args=(shop, stop, Random(chance.random()), self.done), daemon=True)
            for shop in self.shops
        ]
        for client in clients:
            client.start()
        stop.wait(point.after)
        self._kill(point, chance)
        if point.kind == "compute":
            stop.wait(1.0)
        stop.set()
        for client in clients:
            client.join(150)
            if client.is_alive():
                self.shops[0].faults.add("a client hangs")
        self._look(amcheck=amcheck)
        for shop in self.shops:
            point.faults += [f"{shop.project}: {each}" for each in shop.faults.said]
            shop.faults.said.clear()
        point.took = time.monotonic() - begun
        return point

    def _open(self) -> None:
        port = launch.ensure(self.place.state).api_port
        for shop in self.shops:
            shop.port = port

    def _kill(self, point: Point, chance: Random) -> None:
        """Kill what the point says; the server first, for its guardian ends computes in good order."""
        query = "select action from operation where status in ('scheduling', 'running')"
        victims = list(computes(self.place))
        if point.kind == "compute":
            victims = [chance.choice(victims)] if victims else []
        else:
            running = launch.status(self.place.state)
            assert running is not None
            if point.kind == "server":
                victims = []
            elif chance.random() < 0.5:  # Some computes stay, and nobody is there to stop them.
                victims = [*guardians(self.place), *chance.sample(victims, len(victims) // 2)]
            victims.insert(0, running.pid)
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                point.killed += 1
        point.inflight = [row[0] for row in self.place.rows(query)]

    def _look(self, *, amcheck: bool) -> None:
        self._open()
        for shop in self.shops:
            settled(self.place, shop, self.failed)
        for shop in self.shops:
            try:
                compare(self.place, shop, amcheck=amcheck)
            except Gone as gone:
                shop.faults.add(f"the server does not answer: {gone}")
        self._only_ours()
        for shop in self.shops:
            settled(self.place, shop, self.failed)
        nothing_unowned(self.place, self.shops)

    def _only_ours(self) -> None:
        """Delete the projects that clients had in hand."""
        port, ours = self.shops[0].port, {shop.project for shop in self.shops}
        there = {each["id"]: each["name"] for each in ask(port, "GET", "/projects?limit=400")[1]["projects"]}
        for lost in ours - set(there):
            self.shops[0].faults.add(f"project {lost} was acknowledged and is gone")
        for project, name in there.items():
            if project not in ours:
                if not name.startswith(("passing-", "seeded-")):
                    self.shops[0].faults.add(f"project {name} belongs to nobody")
                ask(port, "DELETE", f"/projects/{project}?hard_delete=true")


def computes(place: Place) -> list[int]:
    """Give every PostgreSQL process below the state folder, backends and replays too."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((entry / "cwd").readlink()).startswith(f"{place.folder}/"):
                found.append(int(entry.name))
    return found


def guardians(place: Place) -> list[int]:
    """Give the shells that stop the computes when their server is gone."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"neondba-guardian" in words and os.fsencode(place.folder / "branches") in words:
                found.append(int(entry.name))
    return found


def ended(place: Place) -> None:
    """Stop the server."""
    launch.stop(place.state)


__all__ = ["Crashes", "Place", "Point", "Shop", "ended"]
