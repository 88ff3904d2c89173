"""A thread that waits for sockets and moves bytes: nothing else runs in it.

asyncio spends several times what a wake-up's own work costs. Clients come here after they have logged in;
until then asyncio serves them.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from neondba.local.proxy import fast

if TYPE_CHECKING:
    from neondba.local.proxy.stream import Stream

IN: Final = 1
OUT: Final = 4
BROKEN: Final = 8 | 16
"""Error and hang-up; the bits of poll and epoll are the same."""
CHUNK: Final = 64 * 1024
"""Holds a whole TLS record, so that OpenSSL never keeps bytes the socket would not announce again."""
TICK: Final = 0.25
_LOG: Final = logging.getLogger(__name__)


class Loop:
    """Waits for readiness and calls who watches; other threads hand work in with `call`."""

    def __init__(self) -> None:
        self.scratch = memoryview(bytearray(CHUNK))
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._failed: dict[int, Callable[[], None]] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self._tickers: list[Callable[[float], None]] = []
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_out, False)
        os.set_blocking(self._wake_in, False)
        self._stopped = False
        self.core = fast.core()
        self.lent: set[Stream] = set()
        # macOS has no epoll; its poll takes milliseconds.
        self._epoll: Any = self.core or (select.epoll() if sys.platform == "linux" else None)
        self._poll = select.poll() if self._epoll is None else None
        self.watch(self._wake_out, self._drained, IN)
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; what is still watched is left alone."""

        def stop() -> None:
            self._stopped = True

        self.call(stop)
        self._thread.join()
        if self._epoll is not None:
            self._epoll.close()
        os.close(self._wake_out)
        os.close(self._wake_in)

    def call(self, work: Callable[[], None]) -> None:
        """Have it done in the loop's thread, soon."""
        self._calls.append(work)
        with suppress(BlockingIOError):
            os.write(self._wake_in, b"\0")

    def every_tick(self, work: Callable[[float], None]) -> None:
        """Have it called a few times a second, with the monotonic time."""
        self._tickers.append(work)

    def watch(
        self, fd: int, handler: Callable[[int], None], mask: int, failed: Callable[[], None] | None = None
    ) -> None:
        """Call the handler with what the descriptor is ready for; `failed` when that raises."""
        self._handlers[fd] = handler
        if failed is not None:
            self._failed[fd] = failed
        if self._epoll is not None:
            self._epoll.register(fd, mask)
        elif self._poll is not None:
            self._poll.register(fd, mask)

    def change(self, fd: int, mask: int) -> None:
        """Wait for something else."""
        if self._epoll is not None:
            self._epoll.modify(fd, mask)
        elif self._poll is not None:
            self._poll.modify(fd, mask)

    def forget(self, fd: int) -> None:
        """Watch it no longer; it must still be open."""
        if self._handlers.pop(fd, None) is None:
            return
        self._failed.pop(fd, None)
        if self._epoll is not None:
            self._epoll.unregister(fd)
        elif self._poll is not None:
            self._poll.unregister(fd)

    def _drained(self, _events: int) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_out, 4096)

    def _waited(self) -> list[tuple[int, int]]:
        if self._epoll is not None:
            return self._epoll.poll(TICK)  # type: ignore[no-any-return]
        assert self._poll is not None
        return self._poll.poll(TICK * 1000)

    def _run(self) -> None:
        handlers, waited = self._handlers, self._waited
        ticked = time.monotonic()
        while not self._stopped:
            for fd, events in waited():
                # Gone when an earlier event of this round has closed it.
                if (handler := handlers.get(fd)) is not None:
                    try:
                        handler(events)
                    except Exception:  # noqa: BLE001 - see there
                        self._survive(fd)
            for _ in range(len(self._calls)):
                self._guarded(self._calls.popleft())
            now = time.monotonic()
            if now - ticked >= TICK:
                ticked = now
                for stream in self.lent:
                    stream.harvest()
                for work in self._tickers:
                    self._guarded(partial(work, now))

    def _survive(self, fd: int) -> None:
        """End one connection over a fault of ours; all others go on."""
        _LOG.exception("the relay failed on one connection")
        failed = self._failed.get(fd)
        if failed is not None:
            self._guarded(failed)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - one fault must not end the thread
            _LOG.exception("the relay failed on one task")
