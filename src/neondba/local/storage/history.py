"""Make directories that hold a timeline as it was at a point of its history."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.local.computes.clones import MARK
from neondba.local.computes.manager import Computes, programs_of
from neondba.local.computes.process import Compute
from neondba.local.storage import backup, control_file, replay, wal
from neondba.local.storage.archive import (
    ARCHIVE_MODE,
    COMMAND,
    Archive,
    Base,
    base_name,
    link_tree,
    names,
    write_base,
)
from neondba.local.storage.cloner import Cloner, FileClone, clone_tree
from neondba.local.storage.directories import Directories, sync
from neondba.local.storage.point import Fork, Point
from neondba.local.storage.replay import Cut

FENCE: Final = "select pg_logical_emit_message(true, 'neondba', '')"
FLUSHED_FENCE: Final = "select pg_logical_emit_message(false, 'neondba', '', true)::text, clock_timestamp()"
FLUSHES: Final = 17
"""The first release that can be asked to flush a message."""
NEAR: Final = 160 << 20
"""As much log as is replayed in about a second."""
NO_LIMIT: Final = 1 << 63


@dataclass(frozen=True)
class Kept:
    """What the control plane knows of a timeline's history."""

    seconds: int
    """How long it is kept; 0 when it is not."""
    parent_id: str | None = None
    fork_lsn: str | None = None
    """Where it left its parent."""


@dataclass(frozen=True)
class Window:
    """The part of the past that can be reached."""

    oldest: datetime
    newest: datetime
    oldest_lsn: str
    newest_lsn: str


@dataclass(frozen=True)
class Located:
    """A point of the past, found."""

    timeline_id: str
    """Whose log holds it: the timeline that was asked for, or one it comes from."""
    base: Base
    cut: Cut

    @property
    def fork(self) -> Fork:
        """Where a directory made from it leaves its source."""
        return Fork(wal.text(self.cut.position), self.cut.ended)


class History:
    """The past of all timelines."""

    def __init__(
        self,
        branches: Directories,
        computes: Computes,
        cloner: Cloner,
        kept: Callable[[str], Kept | None],
        now: Callable[[], datetime],
    ) -> None:
        self._branches = branches
        self._computes = computes
        self.cloner = cloner
        self._kept = kept
        self._now = now
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._taking = threading.Lock()

    def archive(self, timeline_id: str) -> Archive:
        """Give the files of a timeline's history."""
        return Archive(self._branches.folder / timeline_id)

    @contextmanager
    def reading(self, timeline_id: str, *, wait: bool = True) -> Iterator[bool]:
        """Keep a timeline's history from being dropped; gives False when somebody else is at it."""
        with self._guard:
            lock = self._locks.setdefault(timeline_id, threading.Lock())
        got = lock.acquire(blocking=wait)
        try:
            yield got
        finally:
            if got:
                lock.release()

    def settings(self, name: str) -> dict[str, str]:
        """Give what a compute needs so that its history is kept."""
        kept = self._kept(name)
        settings = {"wal_recycle": "off"}  # Other directories may share the segments.
        if kept is None or not kept.seconds:
            return settings
        self._open(self.archive(name).wal)
        return settings | {"archive_mode": ARCHIVE_MODE, "archive_command": COMMAND, "wal_init_zero": "off"}

    def make_root(self, template: Path, name: str) -> None:
        """Make a directory from the template, which is its first base, too."""
        if self._branches.exists(name):
            return
        kept = self._kept(name)
        with self._branches.making(name) as data:
            backup.clone_stopped(self.cloner, template, data, self._branches.owner)
            if kept is not None and kept.seconds:
                archive = Archive(data.parent)
                self._open(archive.wal)
                self._template_base(template, archive)

    def make(self, timeline_id: str, point: Point, name: str) -> Fork:
        """Make the directory `name` hold a timeline as it was at a point; its server may run.

        The directory is whole when this returns, or not there at all. Made already, it stays as it is.

        Raises:
            ArgumentProblem: the point is outside the history window.
            OSError: the disk is full.
        """
        if self._branches.exists(name):
            return Fork(None)
        if not point.now:
            return self._make_past(self.locate(timeline_id, point), name)
        with self._computes.held(timeline_id) as compute:
            self._branches.check(timeline_id)
            if compute is not None and (near := self._near(timeline_id, compute)) is not None:
                return self._make_past(near, name)
            with self._branches.making(name) as data:
                if compute is None:
                    return self._stopped(timeline_id, data)
                made = backup.clone_running(self.cloner, compute, data, self._branches.owner)
                self._share(timeline_id, data, made.stop, made.last)
                return Fork(wal.text(made.stop), made.at)

    def locate(self, timeline_id: str, point: Point) -> Located:
        """Find a point of the past.

        Raises:
            ArgumentProblem: it is outside the history window.
        """
        kept, now = self._kept(timeline_id), self._now()
        if kept is None or not kept.seconds:
            raise ArgumentProblem(
                "no-history",
                "the project keeps no history: history_retention_seconds is 0",
                hint="Raise history_retention_seconds; what happens from then on can be reached.",
            )
        if point.timestamp and not now - timedelta(seconds=kept.seconds) <= point.timestamp <= now:
            raise self._outside(timeline_id, point)
        asked, most = timeline_id, NO_LIMIT
        while True:
            found = self._locate_in(asked, point)
            if found is not None and found.cut.position <= most:
                return found
            line = self._kept(asked)
            if line is None or line.parent_id is None or line.fork_lsn is None:
                raise self._outside(timeline_id, point)
            asked, most = line.parent_id, min(most, wal.number(line.fork_lsn))

    def position(self, timeline_id: str) -> Fork:
        """Give where a timeline stands now; it stays asleep if it is."""
        with self._computes.held(timeline_id) as compute:
            if compute is not None:
                with compute.admin() as session:
                    row = session.execute(
                        "select pg_current_wal_flush_lsn()::text, clock_timestamp()"
                    ).fetchone()
                assert row is not None
                return Fork(row[0], row[1])
            end, at = self._end(timeline_id)
            return Fork(wal.text(end), at)

    def window(self, timeline_id: str) -> Window | None:
        """Give the part of a timeline's past that can be reached; None when none is kept."""
        kept = self._kept(timeline_id)
        if kept is None or not kept.seconds:
            return None
        now, oldest = self._now(), None
        asked: str | None = timeline_id
        while asked is not None and (line := self._kept(asked)) is not None:
            if bases := self.archive(asked).usable():
                oldest = bases[0]
            asked = line.parent_id
        if oldest is None:
            return None
        begin = max(oldest.at.astimezone(UTC), now - timedelta(seconds=kept.seconds))
        return Window(begin, now, wal.text(oldest.stop), self.position(timeline_id).lsn or "0/0")

    def take_base(self, timeline_id: str) -> bool:
        """Take a base of a running timeline, if its log is archived; tell whether it was."""
        compute = self._computes.running(timeline_id)
        if compute is None or compute.place.settings.get("archive_mode") != ARCHIVE_MODE:
            return False
        with self._taking:
            self._take(timeline_id, compute)
        return True

    def _take(self, timeline_id: str, compute: Compute) -> None:
        archive = self.archive(timeline_id)
        part = archive.bases_folder / "taking.part"
        archive.sweep()
        part.mkdir(parents=True, mode=0o700)
        try:
            (part / "data").mkdir(mode=0o700)
            made = backup.clone_running(self.cloner, compute, part / "data", self._branches.owner, log=False)
            size = sum(entry.stat().st_size for entry in part.rglob("*"))
            write_base(part, made.redo, made.stop, made.at, size)
            sync(part)
            part.rename(archive.bases_folder / base_name(made.stop))
        finally:
            archive.sweep()

    def _open(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(mode=0o700)
            self._branches.give(folder)

    def _make_past(self, located: Located, name: str) -> Fork:
        owner, source = self._branches.owner, self.archive(located.timeline_id)
        with self.reading(located.timeline_id), self._branches.making(name) as data:
            archive = Archive(data.parent)
            archive.adopt(source, located.base, located.cut.segment)
            self._branches.give(archive.wal)
            clone_tree(self.cloner, located.base.data, data, owner=owner)
            first = located.base.redo // wal.SEGMENT
            backup.write(data / MARK, located.timeline_id.encode(), owner)
            replay.lay_log(source, first, located.cut, data, owner)
            replay.run(programs_of(_major(data)), data, located.cut)
        return located.fork

    def _stopped(self, timeline_id: str, data: Path) -> Fork:
        backup.clone_stopped(self.cloner, self._branches.data(timeline_id), data, self._branches.owner)
        end, at = self._end(timeline_id)
        archived = [n for name in names(self.archive(timeline_id).wal) if (n := wal.segment_number(name))]
        self._share(timeline_id, data, end, max(archived, default=-1) + 1)
        return Fork(wal.text(end), at)

    def _share(self, timeline_id: str, data: Path, position: int, end: int) -> None:
        """Let a new directory know its source's history from the newest base before a position."""
        source = self.archive(timeline_id)
        with self.reading(timeline_id):
            bases = [base for base in source.usable() if base.stop <= position]
            if bases:
                archive = Archive(data.parent)
                archive.adopt(source, bases[-1], end)
                self._branches.give(archive.wal)

    def _near(self, timeline_id: str, compute: Compute) -> Located | None:
        """Give a base from which the present is soon replayed: nothing then waits for a checkpoint."""
        archive = self.archive(timeline_id)
        bases = archive.usable()
        if self.cloner.name != FileClone.name or not bases or _major(compute.place.data) < FLUSHES:
            return None
        with compute.admin() as session:
            row = session.execute(FLUSHED_FENCE).fetchone()
        assert row is not None
        position = wal.number(row[0])
        if position - bases[-1].redo > NEAR or bases[-1].stop > position:
            return None
        return Located(timeline_id, bases[-1], Cut(position, None, row[1]))

    def _end(self, timeline_id: str) -> tuple[int, datetime | None]:
        """Give where the log of a sleeping timeline ends, and when its last transaction did."""
        control = control_file.read(self._branches.data(timeline_id))
        end, at = control.checkpoint, control.written
        first = control.redo // wal.SEGMENT
        for record in wal.records(self.archive(timeline_id).content, first):
            end, at = record.end, record.ended or at
        return wal.aligned(end), at

    def _locate_in(self, timeline_id: str, point: Point) -> Located | None:
        with self.reading(timeline_id):
            limit = self._fence(timeline_id)
            archive = self.archive(timeline_id)
            bases, found = archive.usable(), archive.segments()
            if not bases:
                return None
            segments = range(found[0], found[-1] + 1)
            if point.lsn is not None:
                cut = replay.at_lsn(archive, segments, wal.number(point.lsn), limit)
            else:
                assert point.timestamp is not None
                cut = replay.at_time(archive, segments, point.timestamp, limit)
            usable = [base for base in bases if cut is not None and base.stop <= cut.position]
            return Located(timeline_id, usable[-1], cut) if usable and cut is not None else None

    def _fence(self, timeline_id: str) -> int:
        """Have the present written down; give where the log that is on disk ends."""
        with self._computes.held(timeline_id) as compute:
            if compute is None:
                return NO_LIMIT
            with compute.admin() as session:
                session.execute(FENCE)
                row = session.execute("select pg_current_wal_flush_lsn()::text").fetchone()
            assert row is not None
            return wal.number(row[0])

    def _template_base(self, template: Path, archive: Archive) -> None:
        control = control_file.read(template)
        first = control.checkpoint // wal.SEGMENT
        content = (template / "pg_wal" / wal.segment_name(first)).read_bytes()
        ends = [
            record.end
            for record in wal.records(lambda n: content if n == first else None, first)
            if record.start == control.checkpoint
        ]
        folder = archive.bases_folder / base_name(ends[0])
        link_tree(template, folder / "data", lambda name: name.startswith("pg_wal/"))
        at = self._now()
        label = (
            f"START WAL LOCATION: {wal.text(control.checkpoint)} (file {wal.segment_name(first)})\n"
            f"CHECKPOINT LOCATION: {wal.text(control.checkpoint)}\n"
            "BACKUP METHOD: template\nBACKUP FROM: primary\n"
            f"START TIME: {at:%Y-%m-%d %H:%M:%S} UTC\nLABEL: template\nSTART TIMELINE: 1\n"
        )
        backup.write(folder / "data" / "backup_label", label.encode(), self._branches.owner)
        write_base(folder, control.checkpoint, ends[0], at, 0)

    def _outside(self, timeline_id: str, point: Point) -> ArgumentProblem:
        asked = point.lsn if point.lsn is not None else f"{point.timestamp:%Y-%m-%dT%H:%M:%S.%fZ}"
        window = self.window(timeline_id)
        if window is None:
            said = "there is no history yet"
        else:
            said = (
                f"it reaches from {window.oldest:%Y-%m-%dT%H:%M:%SZ} ({window.oldest_lsn})"
                f" to {window.newest:%Y-%m-%dT%H:%M:%SZ} ({window.newest_lsn})"
            )
        return ArgumentProblem(
            "outside-history",
            f"{asked} is outside the history window: {said}",
            hint="Choose a point inside, or raise the project's history_retention_seconds for the future.",
        )


def _major(data: Path) -> int:
    return int((data / "PG_VERSION").read_text())
