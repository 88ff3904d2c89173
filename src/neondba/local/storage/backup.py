"""Clone a data directory while its server runs, without stopping it.

`pg_backup_start` makes a checkpoint and turns full-page writes on; the files are then cloned in any
order, torn or not, because the write-ahead log written meanwhile repairs them when the clone first
starts. A temporary replication slot keeps that log from being recycled before it is cloned.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from neondba.core.problem import RemoteProblem
from neondba.local.computes.process import Compute
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


def _skip(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name == CONTROL or last in LEFT_OUT or last.startswith("pgsql_tmp") or name.startswith(EMPTIED)


def clone_stopped(cloner: Cloner, source: Path, target: Path, owner: tuple[int, int] | None) -> None:
    """Clone a directory that no server uses, write-ahead log and all."""
    out = ("postmaster.pid", "postmaster.opts")
    clone_tree(cloner, source, target, owner=owner, skip=lambda name: name in out)


def clone_running(cloner: Cloner, compute: Compute, target: Path, owner: tuple[int, int] | None) -> str:
    """Clone a running server's directory; give where it is consistent."""
    source = compute.place.data
    with compute.admin() as connection:
        connection.execute("select pg_create_physical_replication_slot('neondba_branch', true, true)")
        first = _text(connection, "select pg_walfile_name(pg_backup_start('neondba branch', fast => true))")
        clone_tree(cloner, source, target, owner=owner, skip=_skip)
        row = connection.execute(
            "select lsn::text, labelfile, pg_walfile_name(lsn) from pg_backup_stop(wait_for_archive => false)"
        ).fetchone()
        assert row is not None
        position, label, last = str(row[0]), str(row[1]), str(row[2])
        _clone_wal(cloner, source, target, (first, last), owner)
    _copy_control(source, target, owner)
    _write(target / "backup_label", label.encode(), owner)
    return position


def _clone_wal(
    cloner: Cloner, source: Path, target: Path, span: tuple[str, str], owner: tuple[int, int] | None
) -> None:
    """Clone the segments between two names, which sort as the log runs."""
    first, last = span
    needed = [
        name
        for name in sorted(entry.name for entry in (source / "pg_wal").iterdir())
        if len(name) == 24 and first <= name <= last
    ]
    if not needed or needed[0] != first or needed[-1] != last:
        raise RemoteProblem(
            "wal-recycled",
            f"The write-ahead log from {first} to {last} was gone before it could be cloned.",
            hint="Try again; if it happens again, report it.",
        )
    for name in needed:
        clone_file(cloner, source / "pg_wal" / name, target / "pg_wal" / name, owner)


def _copy_control(source: Path, target: Path, owner: tuple[int, int] | None) -> None:
    """Copy the control file: two equal readings are a whole one."""
    before = b""
    while (now := (source / CONTROL).read_bytes()) != before:
        before = now
        time.sleep(0.001)
    _write(target / CONTROL, now, owner)


def _write(path: Path, content: bytes, owner: tuple[int, int] | None) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    if owner is not None:
        os.chown(path, *owner)


def _text(connection: AdminSession, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
