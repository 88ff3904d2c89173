"""Bring a base forward to a place in the log: lay the log, cut it there, and let PostgreSQL recover.

The log ends where the next record would begin, so an ordinary crash recovery stops there by itself: no
recovery target that could be missed, no promotion, no new timeline.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from neondba.core.problem import RemoteProblem
from neondba.local.computes.process import NEWER, SETTINGS
from neondba.local.storage import wal
from neondba.local.storage.archive import ARCHIVE_MODE, COMMAND, Archive, link
from neondba.local.storage.backup import Owner, write
from neondba.local.storage.wal import Record
from neondba.postgres.binaries import Binaries

FAST: Final = {
    "shared_buffers": "256MB",
    "fsync": "off",  # The directory gets its name only after it is synced.
    "max_wal_size": "64GB",
    "max_prepared_transactions": "100",
    "wal_recycle": "off",
    "archive_mode": ARCHIVE_MODE,  # Segments not yet archived are not removed; nothing archives here.
    "archive_command": COMMAND,
}
DONE: Final = re.compile(r"redo done at ([0-9A-F]+/[0-9A-F]+)")


@dataclass(frozen=True)
class Cut:
    """Where a log is cut: in front of the first record that is not wanted."""

    position: int
    last: int | None
    """Where the last wanted record begins, if it was seen."""
    ended: datetime | None = None
    """When the last wanted transaction ended that was seen."""

    @property
    def segment(self) -> int:
        """The segment that is cut; what is before it is wanted whole."""
        return self.position // wal.SEGMENT


def at_lsn(archive: Archive, segments: range, target: int, limit: int) -> Cut | None:
    """Keep the records that end at or before a position; None when the log ends before it."""
    first = max(min(target // wal.SEGMENT, segments.stop - 1), segments.start)
    while True:
        cut, over = _scan(archive, first, limit, lambda record: record.end > target)
        if cut is not None and (over or cut.position + wal.LONG + 8 >= target):
            return cut
        if cut is not None or first <= segments.start:
            return None
        first -= 1


def at_time(archive: Archive, segments: range, moment: datetime, limit: int) -> Cut | None:
    """Keep what is before the first transaction that ended after a moment."""
    after = moment.timestamp() - 1.0  # A file's time may lag behind the clock a little.
    first = next((n for n in segments if archive.changed(n) >= after), segments[-1])
    while True:
        late = lambda record: record.ended is not None and record.ended > moment  # noqa: E731
        cut, _ = _scan(archive, first, limit, late)
        if cut is not None or first <= segments.start:
            return cut
        first -= 1


def _scan(
    archive: Archive, first: int, limit: int, unwanted: Callable[[Record], bool]
) -> tuple[Cut | None, bool]:
    """Give where the first unwanted record begins or the log ends, and whether there is such a record."""
    last, ended = None, None
    for record in wal.records(archive.content, first, limit):
        if unwanted(record):
            return Cut(record.start, last.start, ended) if last else None, True
        last, ended = record, record.ended or ended
    return Cut(wal.aligned(last.end), last.start, ended) if last else None, False


def lay_log(archive: Archive, first: int, cut: Cut, data: Path, owner: Owner) -> None:
    """Put the wanted log into a data directory: whole segments shared, the cut one its own."""
    status = data / "pg_wal" / "archive_status"
    status.mkdir(mode=0o700)
    if owner is not None:
        os.chown(status, *owner)
    for segment in range(first, cut.segment):
        name = wal.segment_name(segment)
        archive.reach(segment, lambda path: link(path, data / "pg_wal" / path.name))
        write(status / f"{name}.done", b"", owner)
    kept = cut.position % wal.SEGMENT
    if kept > wal.LONG:
        content = archive.reach(cut.segment, lambda path: path.read_bytes()[:kept])
        path = data / "pg_wal" / wal.segment_name(cut.segment)
        write(path, content, owner)
        os.truncate(path, wal.SEGMENT)


def run(binaries: Binaries, data: Path, cut: Cut) -> None:
    """Recover a directory and shut it down cleanly.

    Raises:
        RemoteProblem: PostgreSQL could not, or stopped at another place.
    """
    arguments = [binaries.program("postgres"), "--single", "-D", binaries.within(data)]
    for name, value in {**SETTINGS, **FAST}.items():
        if NEWER.get(name, 0) <= binaries.major:
            arguments += ["-c", f"{name}={value}"]
    done = subprocess.run(
        [*arguments, "postgres"],
        cwd=data,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,
        check=False,
        **binaries.spawn,
    )
    reached = DONE.search(done.stderr)
    if done.returncode:
        raise _failed(f"ended with status {done.returncode}", done.stderr)
    if reached and cut.last is not None and wal.number(reached[1]) != cut.last:
        raise _failed(f"stopped at {reached[1]}, not at {wal.text(cut.last)}", done.stderr)
    (data / "backup_label.old").unlink(missing_ok=True)


def _failed(what: str, log: str) -> RemoteProblem:
    lines = " / ".join(log.strip().splitlines()[-4:])
    return RemoteProblem(
        "replay-failed",
        f"The replay of the history {what}. Its log ends: {lines}",
        hint="Try again; if it happens again, report it. The branch it was made from is untouched.",
    )
