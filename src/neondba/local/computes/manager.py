"""All computes of this local Neon: at most one per branch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from neondba.local.computes.process import Compute, Place, start
from neondba.local.storage.directories import Directories
from neondba.postgres.binaries import Binaries


class Computes:
    """The running PostgreSQL servers by branch."""

    def __init__(self, binaries: Binaries, directories: Directories, sockets: Path) -> None:
        self.binaries = binaries
        self._directories = directories
        self._sockets = sockets
        self._running: dict[str, Compute] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def running(self, branch_id: str) -> Compute | None:
        """Give the branch's compute if it is awake."""
        compute = self._running.get(branch_id)
        return compute if compute is not None and compute.alive() else None

    def awake(self) -> list[str]:
        """Give the branches whose computes are awake."""
        return [name for name in list(self._running) if self.running(name)]

    @contextmanager
    def held(self, branch_id: str) -> Iterator[Compute | None]:
        """Keep the branch's compute as it is: awake or asleep."""
        with self._guard:
            lock = self._locks.setdefault(branch_id, threading.RLock())
        with lock:
            yield self.running(branch_id)

    def start(self, branch_id: str) -> Compute:
        """Give the branch's compute, awake.

        Raises:
            Problem: its directory is of another version, or PostgreSQL did not start.
        """
        if compute := self.running(branch_id):
            return compute
        with self.held(branch_id) as compute:
            if compute is None:
                self._directories.check(branch_id)
                place = Place(
                    self._directories.data(branch_id),
                    self._sockets / branch_id,
                    self._directories.log(branch_id),
                )
                compute = self._running[branch_id] = start(self.binaries, place)
            return compute

    def stop(self, branch_id: str, *, at_once: bool = False) -> None:
        """Let the branch's compute sleep."""
        with self.held(branch_id):
            compute = self._running.pop(branch_id, None)
            if compute is not None:
                compute.stop(at_once=at_once)

    def stop_all(self) -> None:
        """Let every compute sleep."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.stop, list(self._running)))
