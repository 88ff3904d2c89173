"""A PostgreSQL of our own for as long as a block runs, from the wheel's programs.

For tests and for recording facts. It listens on a Unix socket only, and ends with its owner, however
that one ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from neondba.core.problem import RemoteProblem
from neondba.core.secret import Secret
from neondba.postgres import binaries, guardian
from neondba.postgres.connect import connect, trusted

SUPERUSER = "scratch"


find_binaries = cache(binaries.find)


@contextmanager
def scratch_server(major: int = binaries.MAJOR, **parameters: str) -> Iterator[Secret]:
    """Start a fresh server of a release; give a superuser's URL; remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="neondba-scratch-"))
    leftover = folder / "leftover"
    leftover.write_text(str(folder))
    try:
        with guardian.watching(folder, leftover=leftover, signal="QUIT"), _running(folder, parameters, major):
            yield Secret(f"postgresql://{SUPERUSER}@/postgres?host={folder / 'server'}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, parameters: dict[str, str], major: int) -> Iterator[None]:
    place = folder / "server"
    place.mkdir(mode=0o700)
    owner = find_binaries(major).owner
    if owner is not None:
        folder.chmod(0o711)
        os.chown(place, *owner)
    data = str(place / "data")
    _run(major, "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
    given = {"fsync": "off", "listen_addresses": "", "unix_socket_directories": str(place), **parameters}
    options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
    _run(major, "pg_ctl", "-D", data, "-w", "-l", str(place / "log"), "-o", options, "start")
    try:
        yield
    finally:
        _run(major, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def neon_like_database(server: Secret, name: str) -> Secret:
    """Make a database whose owner is as Neon's API makes roles; give its URL."""
    owner = f"{name}_owner"
    with connect(server) as session:
        session.execute(trusted(f"create role {owner} login createdb createrole bypassrls"))
        session.execute(trusted(f"create database {name} owner {owner}"))
    return Secret(server.reveal().replace(f"{SUPERUSER}@/postgres", f"{owner}@/{name}"))


def _run(major: int, program: str, *arguments: str) -> None:
    found = find_binaries(major)
    done = subprocess.run(
        [found.program(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
        cwd="/",
        check=False,
        **found.spawn,
    )
    if done.returncode != 0:
        raise RemoteProblem(
            "postgres-not-started",
            f"{program} ended with status {done.returncode}.",
            hint="See whether the disk is full and whether the folder for temporary files may be used.",
            said=(done.stdout or b"").decode(errors="replace")[-2000:],
        )
