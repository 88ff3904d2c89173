"""Stay with a server until we are told to end, as the one program of a container."""

from __future__ import annotations

import signal
import threading
from typing import Final

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, ConflictProblem, RemoteProblem
from neondba.local import launch

NEVER: Final = 1e9
"""Seconds: a container ends when it is told to."""
LOOK: Final = 2.0


def check(ctx: Context, wanted: bool) -> None:
    """Refuse before anything is started, if it is wanted and cannot be.

    Raises:
        ArgumentProblem: nobody could tell us to end.
        ConflictProblem: a server runs already, and is not ours to stop.
    """
    if not wanted:
        return
    if ctx.console is None or threading.current_thread() is not threading.main_thread():
        raise ArgumentProblem(
            "console-needed",
            "Only the command line can stay in the foreground, without --format.",
            hint="Leave foreground out: the local Neon then runs in the background.",
        )
    if launch.status(ctx.settings.state_dir) is not None:
        raise ConflictProblem(
            "local-already-running",
            f"The local Neon over {ctx.settings.state_dir} runs already, in the background.",
            hint="Stop it first: neondba local stop",
        )


def until_told(ctx: Context, said: str) -> None:
    """Wait for Ctrl-C or SIGTERM, then stop the server.

    Raises:
        RemoteProblem: it has ended without being told to.
    """
    told = threading.Event()
    before = {
        number: signal.signal(number, lambda _number, _frame: told.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        assert ctx.console is not None
        ctx.console(said)
        while not told.wait(LOOK):
            if launch.status(ctx.settings.state_dir) is None and not told.is_set():
                raise RemoteProblem(
                    "local-ended",
                    f"The local Neon over {ctx.settings.state_dir} has ended by itself.",
                    hint=f"Look into {ctx.settings.state_dir / 'local' / 'server.log'}.",
                )
    finally:
        launch.stop(ctx.settings.state_dir)
        for number, handler in before.items():
            signal.signal(number, handler)
