"""One socket in the loop, plain or TLS: what its peer takes late waits here."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from neondba.local.proxy.fast import SURRENDERED, Returned
from neondba.local.proxy.loop import BROKEN, IN, OUT, Loop

_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream:
    """A non-blocking socket that a loop watches.

    Memory is bounded by its owner: when `send` says that something waits, the owner stops reading where
    the bytes come from.
    """

    __slots__ = (
        "_eased",
        "_ended",
        "_heard",
        "_loop",
        "_mask",
        "_reading",
        "_receive",
        "_retry",
        "_returned",
        "_send",
        "_watched",
        "fd",
        "lent",
        "received",
        "sent",
        "sock",
        "waiting",
    )

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        *,
        heard: Callable[[memoryview], None],
        ended: Callable[[], None],
        eased: Callable[[], None],
        returned: Callable[[], None],
    ) -> None:
        """Tell `heard` what arrives, in memory that is used again; `eased` when nothing waits any more.

        `ended` may be told more than once that the peer is gone; `returned`, that a loan is over.
        """
        self._loop, self.sock = loop, sock
        self._heard, self._ended, self._eased, self._returned = heard, ended, eased, returned
        self.lent = False
        self.fd = sock.fileno()
        self._receive, self._send = sock.recv_into, sock.send
        self._mask, self._reading, self._watched, self._retry = IN, True, False, False
        self.waiting = bytearray()
        self.received = self.sent = 0

    def start(self) -> None:
        """Watch the socket, and look for what TLS may hold already."""
        self._watch()
        if isinstance(self.sock, ssl.SSLSocket):
            self._read()

    def stop(self) -> None:
        """Leave the socket to its owner."""
        if self.lent:
            self.reclaim()
        if self._watched:
            self._watched = False
            self._loop.forget(self.fd)
        self.fd = -1

    @property
    def stopped(self) -> bool:
        """Tell whether the loop has nothing to do with it any more."""
        return self.fd < 0

    @property
    def quiet(self) -> bool:
        """Tell whether it is watched for input and nothing else."""
        return self._watched and self._mask == IN and not self.waiting and not self._retry

    def lend(self) -> None:
        """Note that the native part has it now."""
        self.lent = True
        self._loop.lent.add(self)

    def regain(self) -> None:
        """Note that it is ours again."""
        self.harvest()
        self.lent = False
        self._loop.lent.discard(self)

    def harvest(self) -> None:
        """Count what the native part has moved."""
        sent, received = self._loop.core.moved(self.fd)
        self.sent += sent
        self.received += received

    def reclaim(self) -> Returned:
        """Take it back, with what is in the air."""
        self.regain()
        return Returned(**self._loop.core.reclaim(self.fd))

    def owe(self, data: bytes) -> None:
        """Send what the native part could not; it counted nothing of it."""
        if data:
            self.sent += len(data)
            self.waiting += data
            self._set(self._mask | OUT)

    def pause(self) -> None:
        """Read no more for now."""
        if self._reading:
            self._reading = False
            self._set(self._mask & ~IN)

    def resume(self) -> None:
        """Read again."""
        if not self._reading and self.fd >= 0:
            self._reading = True
            if self._watched:
                self._set(self._mask | IN)
            else:
                self._mask |= IN
                self._watch()

    def send(self, data: memoryview | bytes) -> bool:
        """Send it; tell whether all of it went. The rest goes when the peer takes it."""
        if self.waiting:
            self.waiting += data
            self.sent += len(data)
            return False
        done, size = 0, len(data)
        self.sent += size
        try:
            done = self._send(data)
            # OpenSSL takes one record of 16 kB at a time.
            while done < size:
                done += self._send(memoryview(data)[done:])
        except _LATER:
            self.waiting += memoryview(data)[done:]
            self._set(self._mask | OUT)
            return False
        except (OSError, ValueError):
            # Not from here: the owner is in the middle of something.
            self._loop.call(self._broken)
        return True

    def _broken(self) -> None:
        if self.fd >= 0:
            self._ended()

    def _watch(self) -> None:
        self._watched = True
        self._loop.watch(self.fd, self._ready, self._mask, self._broken)

    def _set(self, mask: int) -> None:
        if mask != self._mask:
            self._mask = mask
            if self._watched:
                self._loop.change(self.fd, mask)

    def _ready(self, events: int) -> None:
        if events == IN:
            self._read()
            return
        if events & SURRENDERED:
            if self.lent:
                self._returned()
            return
        if events & OUT:
            self._flush()
        if self.fd < 0:
            return
        if self._reading and (events & ~OUT or self._retry):
            self._read()
        elif events & BROKEN and self._watched and not self._reading:
            # Its last words are still unread: look again when they are wanted.
            self._watched = False
            self._loop.forget(self.fd)

    def _read(self) -> None:
        scratch = self._loop.scratch
        self._retry = False
        try:
            count = self._receive(scratch)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except ssl.SSLWantWriteError:
            self._retry = True
            self._set(self._mask | OUT)
            return
        except (OSError, ValueError):
            count = 0
        if not count:
            self._ended()
            return
        self.received += count
        self._heard(scratch[:count])

    def _flush(self) -> None:
        waiting = self.waiting
        try:
            while waiting:
                with memoryview(waiting) as view:
                    done = self._send(view)
                del waiting[:done]
        except _LATER:
            return
        except (OSError, ValueError):
            self._ended()
            return
        self._set(self._mask & ~OUT)
        self._eased()
