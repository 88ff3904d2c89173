"""The directory that projects are cloned from, made once per release."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from neondba.core.problem import RemoteProblem
from neondba.local import sql
from neondba.local.computes import process
from neondba.local.storage.directories import Directories
from neondba.postgres.binaries import Binaries

ROLE: Final = "neondb_owner"
DATABASE: Final = "neondb"
FIRST_WITH_GROUPS: Final = 16
"""The major that has `pg_create_subscription`."""
FIRST_BUILTIN: Final = 17
"""The major that has C.UTF-8 of its own; older ones take the system's."""
VERSION: Final = 3
"""Raise this when the template's contents change."""


def name_of(binaries: Binaries) -> str:
    """Give the template's name among the directories."""
    return f"template-{binaries.release}-{VERSION}"


def ensure(binaries: Binaries, templates: Directories) -> Path:
    """Give the template's data directory; make it if this release has none yet."""
    name = name_of(binaries)
    if not templates.exists(name):
        with templates.making(name) as data:
            _initdb(binaries, data)
            _furnish(binaries, data)
            _thin(data)
    return templates.data(name)


def _initdb(binaries: Binaries, data: Path) -> None:
    arguments = [binaries.program("initdb"), "-D", binaries.within(data), "-U", process.ADMIN]
    arguments += ["--encoding=UTF8"]
    if binaries.major >= FIRST_BUILTIN:
        arguments += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        arguments += ["--locale=C.UTF-8"]
    arguments += ["--auth=trust", "--wal-segsize=4", "--no-sync", "--no-instructions"]
    done = subprocess.run(
        arguments,
        cwd=data,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        **binaries.spawn,
    )
    said = (done.stderr or done.stdout).strip()
    if done.returncode and os.strerror(errno.ENOSPC) in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(data))
    if done.returncode:
        raise RemoteProblem(
            "initdb-failed",
            f"PostgreSQL could not make a data directory: {said[-400:]}",
            hint="Is there space on the disk, and is the state folder on a local file system?",
        )
    (data / "pg_hba.conf").write_text("local all all trust\nlocal replication all trust\n")


def _thin(data: Path) -> None:
    """Drop the maps that PostgreSQL makes again: a quarter of all files."""
    for pattern in ("base/*/*_fsm", "base/*/*_vm", "global/*_fsm", "global/*_vm"):
        for file in data.glob(pattern):
            file.unlink()


def _furnish(binaries: Binaries, data: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="neondba-", dir=process.short_folder()) as folder:
        Path(folder).chmod(0o711)
        place = process.Place(data, Path(folder) / "t", data.parent / "compute.log")
        compute = process.start(binaries, place)
        try:
            with compute.admin() as connection:
                connection.execute(sql.text("template"))
                if binaries.major >= FIRST_WITH_GROUPS:
                    connection.execute(sql.text("template_16"))
                connection.execute(sql.text("owner"))
                connection.execute(f"create database {DATABASE} owner {ROLE}")
            with compute.admin(DATABASE) as connection:
                connection.execute(sql.text("database"))
                connection.execute(f"alter schema public owner to {ROLE}")
        finally:
            compute.stop()
            place.log.unlink(missing_ok=True)
