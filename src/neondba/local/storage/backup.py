"""Clone a data directory while its server runs, without stopping it.

`pg_backup_start` makes a checkpoint and turns full-page writes on; the files are then cloned in any
order, torn or not, because the write-ahead log written meanwhile repairs them when the clone first
starts. A temporary replication slot keeps that log from being recycled before it is cloned.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from neondba.core.problem import RemoteProblem
from neondba.local.computes.process import Compute
from neondba.local.storage import wal
from neondba.local.storage.cloner import Cloner, clone_file, clone_tree
from neondba.postgres.admin import AdminSession

EMPTIED: Final = (
    "pg_wal/",
    "pg_dynshmem/",
    "pg_notify/",
    "pg_replslot/",
    "pg_serial/",
    "pg_snapshots/",
    "pg_stat_tmp/",
    "pg_subtrans/",
)
LEFT_OUT: Final = ("postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", "pg_internal.init")
CONTROL: Final = "global/pg_control"
Owner = tuple[int, int] | None


@dataclass(frozen=True)
class Backup:
    """What a clone of a running server needs of the log."""

    redo: int
    stop: int
    last: int
    """The number of the last segment it needs; the server writes no more to it."""
    at: datetime


def skip(name: str) -> bool:
    """Tell whether a path inside a data directory is left out of a clone."""
    last = name.rpartition("/")[2]
    return name == CONTROL or last in LEFT_OUT or last.startswith("pgsql_tmp") or name.startswith(EMPTIED)


def clone_stopped(cloner: Cloner, source: Path, target: Path, owner: Owner) -> None:
    """Clone a directory that no server uses, write-ahead log and all."""
    out = ("postmaster.pid", "postmaster.opts")
    clone_tree(cloner, source, target, owner=owner, skip=lambda name: name in out)


def clone_running(
    cloner: Cloner, compute: Compute, target: Path, owner: Owner, *, log: bool = True
) -> Backup:
    """Clone a running server's directory; the log may be left out if it is archived."""
    source = compute.place.data
    with compute.admin() as connection:
        if log:
            slot = f"neondba_{secrets.token_hex(4)}"
            connection.execute("select pg_create_physical_replication_slot(%s, true, true)", [slot])
        start = _text(connection, "select pg_backup_start('neondba', fast => true)::text")
        clone_tree(cloner, source, target, owner=owner, skip=skip)
        row = connection.execute(
            "select lsn::text, labelfile, clock_timestamp() from pg_backup_stop(wait_for_archive => false)"
        ).fetchone()
        assert row is not None
        backup = Backup(
            wal.number(start), wal.number(row[0]), (wal.number(row[0]) - 1) // wal.SEGMENT, row[2]
        )
        if log:
            _clone_wal(cloner, source, target, backup, owner)
    _copy_control(source, target, owner)
    write(target / "backup_label", row[1].encode(), owner)
    return backup


def _clone_wal(cloner: Cloner, source: Path, target: Path, backup: Backup, owner: Owner) -> None:
    for segment in range(backup.redo // wal.SEGMENT, backup.last + 1):
        name = wal.segment_name(segment)
        clone_file(cloner, source / "pg_wal" / name, target / "pg_wal" / name, owner)
        if not (target / "pg_wal" / name).exists():
            raise RemoteProblem(
                "wal-recycled",
                f"The write-ahead log segment {name} was gone before it could be cloned.",
                hint="Try again; if it happens again, report it.",
            )


def _copy_control(source: Path, target: Path, owner: Owner) -> None:
    """Copy the control file: two equal readings are a whole one."""
    before = b""
    while (now := (source / CONTROL).read_bytes()) != before:
        before = now
        time.sleep(0.001)
    write(target / CONTROL, now, owner)


def write(path: Path, content: bytes, owner: Owner) -> None:
    """Write a file of a data directory."""
    path.write_bytes(content)
    path.chmod(0o600)
    if owner is not None:
        os.chown(path, *owner)


def _text(connection: AdminSession, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
