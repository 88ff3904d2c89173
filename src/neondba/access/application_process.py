"""The application as a process of its own, in a copy of its folder, ended whatever happens."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from neondba.core.context import Context
from neondba.core.problem import RemoteProblem
from neondba.core.secret import MASK, Secret

LEFT_OUT: Final = (
    ".git", "node_modules", ".venv", "venv", "__pycache__", ".next", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", "dist", ".tox",
)  # fmt: skip
SHOWN: Final = 15
"""Lines of the application's own output that are shown when it does not start."""
GRACE: Final = 5
COPY: Final = "neondba-application-"
_GUARDIAN: Final = """
trap '' INT TERM HUP
read -r _ && exit 0
kill -TERM "-$1"; sleep 1; kill -KILL "-$1"
case "$2" in */neondba-application-*) rm -rf "$2" ;; esac
"""
_READ: Final = 200_000


@dataclass
class Running:
    """An application that listens."""

    port: int
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    hidden: tuple[str, ...]

    def last_lines(self, most: int = SHOWN) -> str:
        """Give the end of what it printed, without secrets."""
        return "\n".join(self.lines(max(0, self.printed - _READ))[-most:])

    def lines(self, since: int) -> list[str]:
        """Give what it printed from a byte on, without secrets."""
        text = os.pread(self.log.fileno(), _READ, since).decode(errors="replace")
        return self.masked(text).rstrip().splitlines()

    def masked(self, text: str) -> str:
        """Hide what the application was given in secret."""
        for secret in self.hidden:
            text = text.replace(secret, MASK)
        return text

    @property
    def printed(self) -> int:
        """Count the bytes it has printed so far."""
        return os.fstat(self.log.fileno()).st_size


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Give a copy of a folder without `.env` files: what it writes stays there, what it reads is ours."""

    def left_out(place: str, names: list[str]) -> set[str]:
        env = {n for n in names if (n == ".env" or n.startswith(".env.")) and not _is_example(n)}
        links = {n for n in names if Path(place, n).is_symlink() and not Path(place, n).exists()}
        inside = {n for n in names if Path(place, n).is_symlink() and _leads_above(Path(place, n), folder)}
        special = {n for n in names if Path(place, n).is_socket() or Path(place, n).is_fifo()}
        return env | links | inside | special | {n for n in names if n in LEFT_OUT}

    with tempfile.TemporaryDirectory(prefix=COPY) as place:
        target = Path(place) / folder.name
        shutil.copytree(folder, target, ignore=left_out)
        yield target


def _is_example(name: str) -> bool:
    return any(word in name for word in ("example", "sample", "template"))


def _leads_above(link: Path, folder: Path) -> bool:
    """Tell whether a link leads to a folder around it, which would be copied without end."""
    real = link.resolve()
    return real.is_dir() and folder.resolve().is_relative_to(real)


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def started(
    ctx: Context,
    command: Sequence[str],
    folder: Path,
    values: Mapping[str, Secret],
    port: int,
    hidden: tuple[str, ...],
) -> Iterator[Running]:
    """Start a server, wait until it listens, end it and its children on the way out.

    Raises:
        RemoteProblem: it ends, or does not listen in time.
    """
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={name: value.reveal() for name, value in values.items()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise RemoteProblem(
                "application-not-started",
                f"{command[0]} cannot be run: {error.strerror}.",
                hint="Give the command that starts it: --start 'uvicorn app.main:app --port {port}'",
            ) from None
        running = Running(port, process, log, hidden)
        with _guarded(process, folder):
            try:
                _await(ctx, running, command)
                yield running
            finally:
                _end(process)


@contextmanager
def _guarded(process: subprocess.Popen[bytes], folder: Path) -> Iterator[None]:
    """Have the application ended and its copy removed also when this process is killed."""
    copy = next((str(p) for p in [folder, *folder.parents] if p.name.startswith(COPY)), "")
    guardian = subprocess.Popen(
        ["/bin/sh", "-c", _GUARDIAN, "neondba-guardian", str(process.pid), copy],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    assert guardian.stdin is not None
    try:
        yield
    finally:
        with suppress(BrokenPipeError):
            guardian.stdin.write(b"done\n")
            guardian.stdin.close()
        guardian.wait()


def _await(ctx: Context, running: Running, command: Sequence[str]) -> None:
    deadline = ctx.clock.monotonic() + max(ctx.settings.step_limit, 60)
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", running.port), timeout=1):
            return
        ended = running.process.poll()
        if ended is not None or ctx.clock.monotonic() > deadline:
            raise _not_started(running, command, ended)
        ctx.progress("Waiting for the application to listen.")
        ctx.clock.sleep(0.05)


def _not_started(running: Running, command: Sequence[str], ended: int | None) -> RemoteProblem:
    said = running.last_lines()
    what = f"ended with status {ended}" if ended is not None else f"does not listen on port {running.port}"
    return RemoteProblem(
        "application-not-started",
        f"The application {what}: {running.masked(shlex.join(command))}. It said last:\n{said or 'nothing'}",
        hint=_advice(said),
    )


def _advice(said: str) -> str:
    """Say what to do about the usual reasons."""
    if "No module named" in said or "ModuleNotFoundError" in said:
        return (
            "Install the project's requirements in its .venv, or name its interpreter with --python. If the"
            " module is its own, name the application as seen from its folder: --app package.main:app"
        )
    if "validation error" in said or "Field required" in said or "environment variable" in said.lower():
        return "Give what it needs as --set NAME=VALUE; its .env file is not read here."
    return "Give what it needs as --set NAME=VALUE, or the command that starts it with --start."


def _end(process: subprocess.Popen[Any]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            break
    # Workers of a server that went first are still in its group.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
