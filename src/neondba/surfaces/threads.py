"""Run an operation beside an event loop: cancelling the caller cancels the operation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import anyio
import anyio.to_thread

from neondba.core.context import Context
from neondba.surfaces.calls import Answer


async def in_thread(
    ctx: Context, call: Callable[[Context], Answer], listen: Callable[[str, float | None], None]
) -> Answer:
    """Run in a thread that hears of cancelling; wait for it to clean up."""
    stop, finished = threading.Event(), threading.Event()
    # Whoever takes it first decides: a call that is cancelled before it begins will never begin.
    begins = threading.Lock()

    def heard(message: str, done: float | None) -> None:
        # A thread that the operation has left behind has nobody to tell any more.
        if not finished.is_set():
            listen(message, done)

    def work() -> Answer:
        if not begins.acquire(blocking=False):
            raise KeyboardInterrupt
        try:
            return call(replace(ctx, listener=heard, cancelled=stop.is_set))
        finally:
            finished.set()

    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        stop.set()
        if not begins.acquire(blocking=False):
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(finished.wait)
        raise
