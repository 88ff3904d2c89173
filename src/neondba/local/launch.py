"""Find the server of a state folder, start it detached, or end it."""

from __future__ import annotations

import errno
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from neondba.core.journal import UNUSABLE
from neondba.core.problem import ArgumentProblem, ConflictProblem, Problem, ProblemReport, RemoteProblem
from neondba.local.server_file import ServerFile, folder_of, holder

START_LIMIT: Final = 60.0
STOP_LIMIT: Final = 60.0
ALREADY: Final = 75
LOG_KEPT: Final = 1 << 20
ROOM: Final = 1 << 20
"""Bytes that must be free to start; a project then takes some tens of megabytes."""
KINDS: Final[dict[str, type[Problem]]] = {
    "state-layout-version": ConflictProblem,
    "port-in-use": ConflictProblem,
    "data-directory-version": ConflictProblem,
    "state-dir-unusable": ArgumentProblem,
}

_started: list[subprocess.Popen[bytes]] = []
"""Children that outlive us; kept so that those that end do not stay as zombies."""


class Status(BaseModel):
    """What a running server says of itself."""

    pid: int
    api_port: int
    postgres_port: int
    ca: str
    state_dir: str
    projects: int
    awake: int
    connections: int
    cloned_by: str
    https_port: int = 0


def status(state_dir: Path) -> Status | None:
    """Ask the server of this folder; None when none runs."""
    file = ServerFile.read(folder_of(state_dir))
    if file is None:
        return None
    found = _ask(file.api_port, "GET", "/local/status")
    if found is None or found.get("state_dir") != file.state_dir:
        return None
    return Status.model_validate(found)


def ensure(
    state_dir: Path,
    *,
    port: int | None = None,
    postgres_port: int | None = None,
    idle_exit: float | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> Status:
    """Give the running server of this folder; start one if there is none.

    Two that call this at once end up with the same server.

    Raises:
        Problem: it did not start; the server's own reason.
    """
    if running := status(state_dir):
        return running
    progress("Starting the local Neon")
    command = [sys.executable, "-m", "neondba.local.server", "--state-dir", str(state_dir.absolute())]
    for flag, value in [("--port", port), ("--postgres-port", postgres_port), ("--idle-exit", idle_exit)]:
        command += [flag, str(value)] if value is not None else []
    _started[:] = [each for each in _started if each.poll() is None]
    log = _log(state_dir)
    with log.open("ab") as out:
        begun = out.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            start_new_session=True,
        )
    _started.append(process)
    return _await(state_dir, process, log, begun)


def check_ports(running: Status, *, port: int | None, postgres_port: int | None) -> None:
    """Refuse ports that a running server does not have.

    Raises:
        ConflictProblem: it listens elsewhere.
    """
    asked = [("--port", port, running.api_port), ("--postgres-port", postgres_port, running.postgres_port)]
    for flag, wanted, has in asked:
        if wanted and wanted != has:
            raise ConflictProblem(
                "local-already-running",
                f"The local Neon over {Path(running.state_dir)} runs already, with {flag} {has}.",
                hint=f"Stop it first: neondba local stop, then neondba local start {flag} {wanted}.",
                port=has,
            )


def stop(state_dir: Path) -> bool:
    """End the server of this folder and wait until it is gone; tell whether one ran.

    Raises:
        RemoteProblem: it does not end.
    """
    running = status(state_dir)
    if running is None:
        return False
    _ask(running.api_port, "POST", "/local/stop")
    deadline = time.monotonic() + STOP_LIMIT
    while time.monotonic() < deadline:
        folder = folder_of(state_dir)
        if _free(folder / "server.lock") or holder(folder) != running.pid:
            _reap(running.pid)
            return True
        time.sleep(0.02)
    raise RemoteProblem(
        "local-does-not-stop",
        f"The local Neon (process {running.pid}) was told to stop and still runs.",
        hint=f"Look into {_log(state_dir)}; ending process {running.pid} by force loses no data.",
        pid=running.pid,
    )


def _reap(pid: int) -> None:
    """Wait for a child that was told to end; Python warns of those that nobody has waited for."""
    for each in _started:
        if each.pid == pid:
            with suppress(subprocess.TimeoutExpired):
                each.wait(10)
    _started[:] = [each for each in _started if each.poll() is None]


def _await(state_dir: Path, process: subprocess.Popen[bytes], log: Path, begun: int) -> Status:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if running := status(state_dir):
            return running
        ended = process.poll()
        if ended is not None and ended != ALREADY:
            raise _reason(log, begun)
        time.sleep(0.02)
    raise RemoteProblem(
        "local-did-not-start",
        f"The local Neon over {state_dir} was not ready after {START_LIMIT:.0f} s.",
        hint=f"Look into {log}.",
    )


def _reason(log: Path, begun: int) -> Problem:
    """Give the problem the server printed last, of the kind it was."""
    with log.open("rb") as said:
        said.seek(begun)
        lines = said.read().decode(errors="replace").strip().splitlines()
    try:
        report = ProblemReport.model_validate_json(lines[-1])
    except (IndexError, ValueError):
        last = lines[-1] if lines else "nothing"
        return RemoteProblem(
            "local-did-not-start", f"The local Neon ended at once; it said: {last}", hint=f"Look into {log}."
        )
    return KINDS.get(report.code, RemoteProblem)(
        report.code, report.message, hint=report.hint, **report.facts
    )


def _log(state_dir: Path) -> Path:
    folder = folder_of(state_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = folder / "server.log"
        log.touch(mode=0o600)
        if log.stat().st_size > LOG_KEPT:
            log.write_bytes(log.read_bytes()[-LOG_KEPT // 2 :])
        # On a full disk not even the log could say why the server ends.
        if shutil.disk_usage(folder).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise ArgumentProblem(
            "state-dir-unusable",
            f"The state folder {state_dir} cannot be used: {error.strerror}.",
            hint=UNUSABLE,
        ) from None
    return log


def _ask(port: int, method: str, path: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers={"Authorization": "Bearer local"})
        found = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None


def _free(lock: Path) -> bool:
    import fcntl

    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
