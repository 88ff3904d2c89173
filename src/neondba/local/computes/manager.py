"""All computes of this local Neon: at most one per directory, and named as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from neondba.local.computes import clones, fresh, orphans
from neondba.local.computes.process import Compute, Place, start
from neondba.local.storage.directories import Directories
from neondba.postgres import binaries
from neondba.postgres.binaries import Binaries

programs_of = cache(binaries.find)


class Computes:
    """The running PostgreSQL servers by the name of their directory."""

    def __init__(
        self,
        programs: Binaries,
        directories: Directories,
        sockets: Path,
        settings: Callable[[str], Mapping[str, str]],
    ) -> None:
        self.binaries = programs
        self.prepare: Callable[[str], None] = lambda _name: None
        """Called before a directory's compute starts: a replica's directory is made there."""
        self.awakened: Callable[[str, Compute], None] = lambda _name, _compute: None
        """Called when it takes connections, before anyone is told: a replica catches up there."""
        self._directories = directories
        self._sockets = sockets
        self._settings = settings
        self._running: dict[str, Compute] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def running(self, name: str) -> Compute | None:
        """Give a directory's compute if it is awake."""
        compute = self._running.get(name)
        return compute if compute is not None and compute.alive() else None

    def awake(self) -> list[str]:
        """Give the names of the computes that are awake."""
        return [name for name in list(self._running) if self.running(name)]

    @contextmanager
    def held(self, name: str) -> Iterator[Compute | None]:
        """Keep a compute as it is: awake or asleep."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.RLock())
        with lock:
            yield self.running(name)

    def start(self, name: str) -> Compute:
        """Give a directory's compute, awake.

        Raises:
            Problem: its directory is of another version, or PostgreSQL did not start.
        """
        if compute := self.running(name):
            return compute
        with self.held(name) as compute:
            if compute is None:
                self._bury(name)
                self.prepare(name)
                compute = self._running[name] = self._start(name)
                self.awakened(name, compute)
            return compute

    @contextmanager
    def kept(self, name: str) -> Iterator[Compute]:
        """Give a directory's compute, awake until the body is over: nobody lets it sleep meanwhile.

        Raises:
            Problem: its directory is of another version, or PostgreSQL did not start.
        """
        self.start(name)
        with self.held(name):
            yield self.start(name)

    def _start(self, name: str) -> Compute:
        self._directories.check(name)
        data, owner = self._directories.data(name), self._directories.owner
        programs = programs_of(self._directories.major(name))
        place = Place(data, self.sockets(name), self._directories.log(name), self._settings(name))
        if not clones.is_standby(data):
            fresh.forget(data, owner)
            if clones.is_clone(data, name):
                clones.drop_slots(data)
                if clones.may_subscribe(data):
                    quiet = start(programs, replace(place, settings={**place.settings, **clones.QUIET}))
                    try:
                        clones.drop_subscriptions(quiet)
                    finally:
                        quiet.stop()
            clones.mark(data, name, owner)
        return start(programs, place)

    def sockets(self, name: str) -> Path:
        """Give the folder of a compute's socket."""
        return self._sockets / name

    def _bury(self, name: str) -> None:
        """Clear what a compute that died left: processes, pid file, sockets."""
        compute = self._running.pop(name, None)
        pid_file = self._directories.data(name) / "postmaster.pid"
        if compute is None and not pid_file.exists():
            return
        orphans.sweep(self._directories.folder / name)
        pid_file.unlink(missing_ok=True)
        if compute is not None:
            compute.clear()

    def bury(self) -> list[str]:
        """Clear what computes left that were killed; give their names. One that is held waits."""
        buried = []
        for name, compute in list(self._running.items()):
            with self._guard:
                lock = self._locks.setdefault(name, threading.RLock())
            if compute.alive() or not lock.acquire(blocking=False):
                continue
            try:
                if self._running.get(name) is compute:
                    # The pid file stays: it says which shared memory is to go with the directory.
                    orphans.sweep(self._directories.folder / name)
                    del self._running[name]
                    compute.clear()
                    buried.append(name)
            finally:
                lock.release()
        return buried

    def stop(self, name: str, *, at_once: bool = False) -> None:
        """Let a compute sleep."""
        with self.held(name):
            compute = self._running.pop(name, None)
            if compute is not None and compute.alive():
                compute.stop(at_once=at_once)
            elif compute is not None:
                orphans.sweep(self._directories.folder / name)
                compute.clear()

    def stop_all(self) -> None:
        """Let every compute sleep."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.stop, list(self._running)))
