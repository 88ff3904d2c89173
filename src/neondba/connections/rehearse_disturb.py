"""Take the compute away from under an application, at chosen moments, and note what that did."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from neondba.connections.rehearse_record import Sent
from neondba.connections.rehearse_world import World
from neondba.core.context import Context
from neondba.core.problem import Problem
from neondba.local.server_file import folder_of
from neondba.neon.throwaway import Throwaway

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

Kind = Literal["suspend", "restart", "failover", "cut"]
Place = Literal["between", "within", "any"]
SLACK: Final = 25
"""Statements to wait for the wanted place: after these any place will do."""


@dataclass(frozen=True)
class Moment:
    """When to disturb."""

    kind: Kind
    place: Place
    statement: int | None = None
    """After so many statements; or"""
    seconds: float | None = None
    """so long after the run began, or after the application first answered."""


@dataclass
class Disturbance:
    """One that took place."""

    moment: Moment
    what: str
    """How it was done."""
    began: float
    within: bool
    """True when the statement that it met was in an open transaction."""
    open_sessions: int
    met: Sent | None = None
    """The statement that waited meanwhile."""
    ended: float = 0.0
    trouble: str = ""
    """Why it could not be done, where it could not."""


@dataclass
class Disturber:
    """Carries out moments while a command runs; called by the relay's threads and a clock of its own."""

    act: Callable[[Kind], str]
    world: World
    waiting: deque[Moment]
    done: list[Disturbance] = field(default_factory=list)
    elapsed: Callable[[], float] = lambda: 0.0
    """The seconds from which moments count."""
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _clock: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look at statements, and at the clock where a moment is a time."""
        self.world.record.before = self.before
        if any(moment.seconds is not None for moment in self.waiting):
            self._clock = threading.Thread(target=self._tick, daemon=True)
            self._clock.start()

    def stop(self) -> None:
        """Disturb no more."""
        self._over.set()
        self.world.record.before = lambda _sent: None
        if self._clock is not None:
            self._clock.join(120)

    def before(self, sent: Sent) -> None:
        """Disturb now, if this statement is the one; all others wait meanwhile."""
        with self._guard:
            if not self._over.is_set() and self.waiting and self._fits(self.waiting[0], sent):
                self._disturb(self.waiting.popleft(), sent)

    def _fits(self, moment: Moment, sent: Sent) -> bool:
        if moment.statement is None or self.world.record.count < moment.statement:
            return False
        late = self.world.record.count >= moment.statement + SLACK
        return late or moment.place == "any" or sent.within == (moment.place == "within")

    def _tick(self) -> None:
        while not self._over.wait(0.02):
            moment = self.waiting[0] if self.waiting else None
            if moment is None or moment.seconds is None:
                return
            if self.elapsed() >= moment.seconds:
                with self._guard:
                    self._disturb(self.waiting.popleft(), None)

    def _disturb(self, moment: Moment, sent: Sent | None) -> None:
        record = self.world.record
        open_now = sum(len(relay.sessions()) for relay in self.world.relays)
        within = (
            sent.within if sent else any(s.status != "I" for r in self.world.relays for s in r.sessions())
        )
        made = Disturbance(moment, "", record.now(), within, open_now, sent)
        try:
            made.what = self.act(moment.kind)
        except Problem as problem:
            made.trouble = problem.message
        made.ended = record.now()
        self.done.append(made)


def spread(statements: Sequence[Sent], count: int, kinds: Sequence[Kind]) -> list[Moment]:
    """Place every kind between two transactions and, but for suspending, within one.

    Neon suspends a compute only when nothing runs on it; it restarts and fails over at any moment.
    """
    wanted: list[tuple[Kind, Place]] = []
    has_within = any(sent.within for sent in statements)
    for kind in kinds:
        wanted.append((kind, "between"))
        if kind != "suspend" and has_within:
            wanted.append((kind, "within"))
    step = max(1.0, count / (len(wanted) + 1))
    return [Moment(kind, place, max(1, round(step * (n + 1)))) for n, (kind, place) in enumerate(wanted)]


def timed(seconds: Sequence[float], kinds: Sequence[Kind]) -> list[Moment]:
    """Place the kinds by turns at these times."""
    return [Moment(kinds[n % len(kinds)], "any", seconds=at) for n, at in enumerate(sorted(seconds))]


def over_time(during: float, kinds: Sequence[Kind]) -> list[float]:
    """Spread as many moments as there are kinds over a time, the last with room to recover."""
    return [during * (n + 1) / (len(kinds) + 1.5) for n in range(len(kinds))]


def actor(ctx: Context, client: NeonClient, world: World) -> Callable[[Kind], str]:
    """Give what carries out a disturbance on this branch, and says how."""

    def act(kind: Kind) -> str:
        ctx.listener(f"Now: {kind}.", None)
        branch = world.branch
        if kind == "cut":
            for relay in world.relays:
                relay.cut()
            return "every connection was dropped without a word, as by a broken network"
        if kind == "suspend":
            client.suspend_endpoint(branch.project_id, world.endpoint_id)
            return "the compute was suspended over the API"
        processes = _processes(ctx, branch) if kind == "failover" and client.is_local else []
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if processes:
            return "the compute's processes were killed"
        client.restart_endpoint(branch.project_id, world.endpoint_id)
        return "the compute was restarted over the API"

    return act


def _processes(ctx: Context, branch: Throwaway) -> list[int]:
    """Find the processes of the local compute that serves a branch, the first one first."""
    from neondba.postgres.connect import connect

    with connect(branch.direct) as session:
        # libpq's own idea of it is what the proxy made up.
        row = session.execute("select pg_backend_pid() as pid").fetchone()
        parents = _parents()
    parent = parents.get(int(row["pid"]), 0) if row else 0
    files = (folder_of(ctx.settings.state_dir) / "branches").glob("*/data/postmaster.pid")
    own = set()
    for file in files:
        # Another compute may go to sleep meanwhile.
        with suppress(FileNotFoundError):
            own.add(file.read_text().partition("\n")[0].strip())
    # Only a process that our own state folder names as a compute may be ended.
    if str(parent) not in own:
        return []
    return [parent, *(process for process, its in parents.items() if its == parent)]


def _parents() -> dict[int, int]:
    """Give each process's parent: from Linux itself, elsewhere from `ps`."""
    found: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        # It may end meanwhile.
        with suppress(OSError):
            parent = re.search(r"^PPid:\s*(\d+)", status.read_text(), re.MULTILINE)
            found[int(status.parent.name)] = int(parent[1]) if parent else 0
    if not found:
        asked = [shutil.which("ps") or "ps", "-eo", "pid=,ppid="]
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        found = {int(pid): int(parent) for pid, parent in (line.split() for line in said.splitlines())}
    return found
