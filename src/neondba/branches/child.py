"""Wait for a child: in the user's terminal with our signals handed on, or alone with its output kept."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from neondba.core.context import Context


def in_terminal(command: Sequence[str], renew: Callable[[], None], **settings: Any) -> int:
    """Run a child with our own streams and signals; give its exit status."""
    with _signals_forwarded() as forwarding:
        return _ended(forwarding.begin(lambda: subprocess.Popen(command, **settings)), renew)


def alone(command: Sequence[str], renew: Callable[[], None], ctx: Context, **settings: Any) -> int:
    """Run a child that nobody can type to; cancelling the call ends it. Give its exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **settings)
    return _watched(process, ctx, renew)


def _ended(process: subprocess.Popen[bytes], renew: Callable[[], None]) -> int:
    while True:
        try:
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            renew()
            continue
        return status if status >= 0 else 128 - status


def _watched(process: subprocess.Popen[bytes], ctx: Context, renew: Callable[[], None]) -> int:
    """Wait for a child that nobody at a terminal can stop: end it with the call."""
    try:
        while process.poll() is None:
            if ctx.cancelled():
                raise KeyboardInterrupt
            renew()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


class _Forwarding:
    """Hand our signals to a child; one that comes before there is a child waits for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    def begin(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        self._process = start()
        for number in self._waiting:
            self._process.send_signal(number)
        return self._process

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if number in (signal.SIGINT, signal.SIGQUIT) and _terminal_sent_it():
            return  # The terminal has sent it to the child as well.
        if self._process is None:
            self._waiting.append(number)
        else:
            self._process.send_signal(number)


def _terminal_sent_it() -> bool:
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


@contextmanager
def _signals_forwarded() -> Iterator[_Forwarding]:
    forwarding = _Forwarding()
    if threading.current_thread() is not threading.main_thread():
        yield forwarding
        return
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
    # What we were told to ignore, as by nohup, the child ignores too.
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, forwarding) for number in heard}
    try:
        yield forwarding
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
