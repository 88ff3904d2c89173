"""Read schemas with PostgreSQL's own pg_dump, and servers that live for one task."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.problem import RemoteProblem
from neondba.local import ids
from neondba.local.computes import process
from neondba.local.computes.manager import programs_of
from neondba.local.computes.process import ADMIN, Compute
from neondba.postgres.admin import PINNED

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane
    from neondba.local.storage.point import Point

READY_LIMIT: Final = 60.0
GUARD: Final = re.compile(r"^\\(?:un)?restrict .*\n\n?", re.MULTILINE)
"""A new word in every dump: two equal schemas would differ."""
SHARED: Final = {"wal_recycle": "off", "autovacuum": "off"}
"""Segments of the log may be other directories' too: they are never written again."""
HASTE: Final = {"fsync": "off", "full_page_writes": "off"}
"""Only over a directory that is thrown away on any failure, and put on the disk whole."""


def run(
    program: str, compute: Compute, *arguments: str, database: str, given: bytes = b"", user: str = ADMIN
) -> bytes:
    """Run a client program of the compute's own release, as the superuser if not said; give what it wrote.

    The database's name goes by the environment, where no character of it means anything else.

    Raises:
        RemoteProblem: it failed; its last words are given.
    """
    binaries = programs_of(int((compute.place.data / "PG_VERSION").read_text()))
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "PGUSER": user,
        "PGDATABASE": database,
        "PGCLIENTENCODING": "UTF8",
        "PGOPTIONS": PINNED,
    }
    done = subprocess.run(
        [binaries.program(program), f"--host={compute.place.sockets}", "--port=5432", *arguments],
        input=given,
        cwd="/",
        env=environment,
        capture_output=True,
        check=False,
        **binaries.spawn,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-400:]
        raise RemoteProblem(
            f"{program.replace('_', '-')}-failed",
            f"{program} over database {database} failed: {said}",
            hint="Was the branch or the database deleted meanwhile? Try again.",
        )
    written: bytes = done.stdout
    return written


def schema(compute: Compute, database: str) -> str:
    """Give a database's schema as pg_dump writes it, the same for the same schema."""
    text = run("pg_dump", compute, "--schema-only", database=database).decode(errors="replace")
    return GUARD.sub("", text)


@contextmanager
def serving(plane: Plane, data: Path, *, haste: bool = False) -> Iterator[Compute]:
    """Run a server over a directory that is no branch's; the sweeper never sees it.

    A killed server of ours leaves it below the state folder, where the next start ends it.
    """
    with tempfile.TemporaryDirectory(prefix="neondba-", dir=process.short_folder()) as folder:
        Path(folder).chmod(0o711)
        log = data.parent / "compute.log"
        binaries = programs_of(int((data / "PG_VERSION").read_text()))
        settings = SHARED | HASTE if haste else SHARED
        place = process.Place(data, Path(folder) / "s", log, {**plane.additions(binaries), **settings})
        compute = process.start(binaries, place)
        try:
            yield compute
        finally:
            compute.stop()


@contextmanager
def at(plane: Plane, timeline_id: str, point: Point) -> Iterator[Compute]:
    """Give a compute over a timeline as it was at a point; for now, its own one.

    The past is made in a directory that the next start removes when this one is killed.
    """
    if point.now:
        with plane.computes.kept(timeline_id) as compute:
            yield compute
        return
    name = f"schema-{ids.operation_id()}"
    try:
        plane.history.make(timeline_id, point, name)
        with serving(plane, plane.branches.data(name)) as compute:
            yield compute
    finally:
        plane.branches.replace(name)
