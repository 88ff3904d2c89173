"""Cancel requests: which running statement a key of ours stands for."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from neondba.local.proxy import compute, messages
from neondba.local.proxy.loop import Loop
from neondba.local.proxy.messages import Cancel
from neondba.local.proxy.wire import Wire

CancelKey = tuple[int, bytes]
Theirs = tuple[str, int, bytes]
"""A compute's socket path, and its own key."""
KEY_LENGTH: Final = 4
LIMIT: Final = 10.0


@dataclass(frozen=True)
class Held:
    """A statement that is kept in place until the request has arrived."""

    theirs: Theirs
    loose: Callable[[], None]


class Cancels:
    """Keys of ours for the computes' own: pids of different computes may be equal."""

    def __init__(self) -> None:
        self._direct: dict[CancelKey, Theirs] = {}
        self._pooled: dict[CancelKey, tuple[Callable[[], Held | None], Loop]] = {}

    def known(self, theirs: Theirs) -> CancelKey:
        """Give a key of ours for a compute's."""
        ours = (secrets.randbits(31), secrets.token_bytes(len(theirs[2])))
        self._direct[ours] = theirs
        return ours

    def pooled(self, hold: Callable[[], Held | None], loop: Loop) -> CancelKey:
        """Give a key for whatever server connection the client has when the request comes.

        `hold` is asked in the loop's thread.
        """
        ours = (secrets.randbits(31), secrets.token_bytes(KEY_LENGTH))
        self._pooled[ours] = (hold, loop)
        return ours

    def forget(self, key: CancelKey | None) -> None:
        """Take a key back."""
        if key is not None:
            self._direct.pop(key, None)
            self._pooled.pop(key, None)

    async def forward(self, asked: Cancel) -> None:
        """Pass a cancel request on; a wrong key is nobody's business."""
        key = (asked.pid, asked.key)
        if (theirs := self._direct.get(key)) is not None:
            await _send(theirs)
        elif (pooled := self._pooled.get(key)) is not None:
            await _send_held(*pooled)


async def _send_held(hold: Callable[[], Held | None], loop: Loop) -> None:
    main = asyncio.get_running_loop()
    answer: asyncio.Future[Held | None] = main.create_future()

    def ask() -> None:
        held = hold()
        main.call_soon_threadsafe(answer.set_result, held)

    loop.call(ask)
    held = await asyncio.shield(answer)
    if held is None:
        return
    try:
        async with asyncio.timeout(LIMIT):
            await _send(held.theirs)
    finally:
        loop.call(held.loose)


async def _send(theirs: Theirs) -> None:
    wire = Wire(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        await compute.connect(wire, theirs[0])
        await wire.send(messages.cancel(*theirs[1:]))
        # The compute closes when the signal is on its way; the client waits for that.
        with suppress(EOFError):
            await wire.exactly(1)
    except (OSError, compute.ComputeStarting):
        return
    finally:
        wire.close()
