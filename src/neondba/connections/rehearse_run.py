"""Run a command to its end, or for a time; keep what it printed, and when."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from neondba.core.context import Context
from neondba.core.secret import MASK
from neondba.neon.connection_string import mask_text

MOST_LINES: Final = 4000
LONGEST_LINE: Final = 2000
GRACE: Final = 10.0


@dataclass
class Ran:
    """What became of a command."""

    status: int = 0
    """Its exit status; 128 and the number for a signal that ended it."""
    seconds: float = 0.0
    stopped: bool = False
    """True when it was ended by us after the time that was asked for."""
    too_long: bool = False
    """True when it was ended by us because it did not end."""
    lines: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    """The end of its output, with the seconds since it began."""

    @property
    def text(self) -> str:
        """Its output."""
        return "\n".join(line for _, line in self.lines)


@dataclass(frozen=True)
class Wish:
    """What to run, and how long."""

    command: Sequence[str]
    during: float | None
    """Seconds after which it is told to end; `None` waits for its end."""
    limit: float
    elapsed: Callable[[], float] | None = None
    """Gives the seconds to which `during` applies; those since the start if absent."""
    leave: Callable[[], None] | None = None
    """Called before it is told to end: what it no longer answers then is not its fault."""


def patience(limit: float, usual: float) -> float:
    """Say how long a run may last that is to last about as long as another one did."""
    return min(limit, 4 * usual + 60)


def tail(ran: Ran, most: int = 5) -> tuple[str, ...]:
    """Give the last lines that say something."""
    return tuple(line[:200] for _, line in ran.lines if line.strip())[-most:]


def run(ctx: Context, wish: Wish, environment: Mapping[str, str], secrets: Sequence[str]) -> Ran:
    """Run a command; cancelling the call ends it."""
    ran, begun = Ran(), time.monotonic()
    process = subprocess.Popen(
        wish.command,
        cwd=ctx.folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    reading = threading.Thread(target=_read, args=(process, ran, begun, secrets), daemon=True)
    reading.start()
    try:
        _await(ctx, process, wish, ran, begun)
        if wish.leave:
            wish.leave()
    finally:
        _end(process, reading)
    ran.seconds = time.monotonic() - begun
    code = process.returncode
    ran.status = code if code >= 0 else 128 - code
    return ran


def _await(ctx: Context, process: subprocess.Popen[bytes], wish: Wish, ran: Ran, begun: float) -> None:
    while process.poll() is None:
        if ctx.cancelled():
            raise KeyboardInterrupt
        past = time.monotonic() - begun
        lasted = wish.elapsed() if wish.elapsed else past
        ran.stopped = wish.during is not None and lasted >= wish.during
        ran.too_long = past >= wish.limit
        if ran.stopped or ran.too_long:
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)


def _end(process: subprocess.Popen[bytes], reading: threading.Thread) -> None:
    """End what is left of it, politely first; its children too."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        if process.poll() is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
    # What it started and left keeps the pipe open.
    reading.join(1)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    reading.join(5)


def _read(process: subprocess.Popen[bytes], ran: Ran, begun: float, secrets: Sequence[str]) -> None:
    assert process.stdout is not None
    with process.stdout as stream:
        for raw in stream:
            line = raw[:LONGEST_LINE].decode(errors="replace").rstrip()
            for secret in secrets:
                line = line.replace(secret, MASK)
            ran.lines.append((time.monotonic() - begun, mask_text(line)))
