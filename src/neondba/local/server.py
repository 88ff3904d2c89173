"""The server process: API, proxy and computes of one state folder.

`python -m neondba.local.server --state-dir …` runs in the foreground; `neondba local start` runs it
detached. It prints no secret, and ends by itself when nobody has asked for anything for a while.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.context import Clock
from neondba.core.journal import UNUSABLE
from neondba.core.problem import ArgumentProblem, ConflictProblem, Problem
from neondba.local.server_file import ServerFile, folder_of, holder
from neondba.postgres import guardian

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane
    from neondba.local.proxy.server import Proxy
    from neondba.local.proxy.tls import CertificatePaths
    from neondba.local.web import Web

HOST: Final = "127.0.0.1"
IDLE_EXIT: Final = 900.0
LOCK_WAIT: Final = 2.0
ALREADY: Final = 75
"""Exit status when another server has this state folder."""


def main(arguments: list[str] | None = None) -> int:
    """Run the server until it is told to stop; give the exit status."""
    options = _parse(arguments)
    os.umask(0o077)
    folder = folder_of(options.state_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        servers, leftover = folder / "branches", folder / "sockets"
        with only_one(folder) as lock, guardian.watching(servers, leftover=leftover, lock=lock):
            asyncio.run(_serve(folder, options))
    except Problem as problem:
        return _told(problem)
    except OSError as error:
        return _told(
            ArgumentProblem(
                "state-dir-unusable",
                f"The state folder {folder.parent} cannot be used: {error.strerror or error}.",
                hint=UNUSABLE,
            )
        )
    return 0


def _told(problem: Problem) -> int:
    sys.stderr.write(problem.report().model_dump_json() + "\n")  # read by the launcher
    return ALREADY if problem.code == "local-already-running" else problem.exit_status


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="neondba.local.server", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True, help="folder that holds the local Neon")
    parser.add_argument("--port", type=int, help="port of the API; the last one used if absent")
    parser.add_argument("--postgres-port", type=int, help="port for PostgreSQL clients")
    parser.add_argument("--idle-exit", type=float, default=IDLE_EXIT, help="end after so many quiet seconds")
    return parser.parse_args(arguments)


@contextmanager
def only_one(folder: Path) -> Iterator[int]:
    """Hold the folder's lock; a killed server's guardian may hold it a moment longer."""
    import fcntl

    deadline = time.monotonic() + LOCK_WAIT
    with (folder / "server.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() < deadline and not _alive(holder(folder)):
                    time.sleep(0.02)
                    continue
            raise ConflictProblem(
                "local-already-running",
                f"A local Neon already runs over {folder.parent}.",
                hint="neondba local status shows it; neondba local stop ends it.",
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock.fileno()


def _alive(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid is not None


async def _serve(folder: Path, options: argparse.Namespace) -> None:
    from neondba.local.addresses import Addresses
    from neondba.local.control.plane import Plane
    from neondba.local.proxy.server import serve
    from neondba.local.proxy.tls import ensure_certificates

    known = ServerFile.ports(folder)
    api = _listen(options.port if options.port is not None else known.get("api", 0), "--port")
    secure = _listen_anywhere(known.get("https", 0))
    certificates = ensure_certificates(folder / "tls")
    plane = Plane(folder, Clock(), Addresses())
    # Whatever a kill leaves there goes with the sockets.
    tempfile.tempdir = str(plane.sockets)
    try:
        await asyncio.to_thread(plane.begin)
        port = options.postgres_port if options.postgres_port is not None else known.get("postgres", 0)
        try:
            proxy = await serve(plane.directory, HOST, port, certificates)
        except ConflictProblem:
            raise _taken(port, "--postgres-port") from None
        plane.addresses.port = proxy.port
        file = ServerFile(
            pid=os.getpid(),
            api_port=api.getsockname()[1],
            postgres_port=proxy.port,
            https_port=secure.getsockname()[1],
            ca=str(certificates.authority),
            state_dir=str(folder.parent),
        )
        try:
            web = _web(plane, proxy, file, certificates)
            await _answer(plane, web, (api, secure), options.idle_exit, lambda: file.write(folder))
        finally:
            await proxy.close()
    finally:
        tempfile.tempdir = None
        await asyncio.to_thread(plane.close)
        (folder / "server.json").unlink(missing_ok=True)


def _web(plane: Plane, proxy: Proxy, file: ServerFile, certificates: CertificatePaths) -> Web:
    from neondba.local.api.app import app
    from neondba.local.serverless.routes import join
    from neondba.local.web import Web

    answering = app(plane, file)
    sql = join(answering, plane.directory, proxy, plane.clock.monotonic)
    web = Web(answering, certificates, sql.close)
    answering.state.stop = web.stop
    return web


async def _answer(
    plane: Plane,
    web: Web,
    doors: tuple[socket.socket, socket.socket],
    idle_exit: float,
    ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, web.stop)
    ready()
    watcher = asyncio.create_task(_end_when_idle(plane, web, idle_exit))
    try:
        await web.serve(*doors)
    finally:
        watcher.cancel()


async def _end_when_idle(plane: Plane, web: Web, limit: float) -> None:
    while True:
        await asyncio.sleep(min(5.0, limit / 2))
        if plane.directory.untouched_for() > limit and not plane.directory.connected():
            web.stop()


def _listen(port: int, flag: str) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise _taken(port, flag) from None
    return listening


def _listen_anywhere(port: int) -> socket.socket:
    """Listen where we last did, or at any free port: no string that we give out holds this one."""
    try:
        return _listen(port, "")
    except ConflictProblem:
        return _listen(0, "")


def _taken(port: int, flag: str) -> Problem:
    return ConflictProblem(
        "port-in-use",
        f"Port {port} is in use by another program, so the local Neon cannot listen there.",
        hint=f"Stop that program, or choose another port: neondba local start {flag} 0 takes any free one.",
        port=port,
        flag=flag,
    )


if __name__ == "__main__":
    sys.exit(main())
