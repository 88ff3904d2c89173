"""The history of one timeline: its write-ahead log, and bases that bound how much of it is replayed.

Both lie beside the data directory, so they appear, move and go with it. Complete segments and the files
of bases never change: another timeline that needs them gets hard links, and the file system counts them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from neondba.local.storage import wal
from neondba.local.storage.directories import remove

T = TypeVar("T")
ARCHIVE_MODE: Final = "always"
"""With `on`, the recovery of a clone would remove segments that it has not archived."""
COMMAND: Final = "[ -e ../wal/%f ] || ln %p ../wal/%f"
"""PostgreSQL runs it in the data directory, as a user who may not know another way there."""


@dataclass(frozen=True)
class Base:
    """The files of a timeline at some moment; what was written meanwhile is in the log."""

    folder: Path
    redo: int
    """Where replay begins."""
    stop: int
    """From here on it is consistent."""
    at: datetime
    size: int

    @property
    def data(self) -> Path:
        """The files, without any log."""
        return self.folder / "data"


class Archive:
    """The history beside one data directory."""

    def __init__(self, timeline: Path) -> None:
        self._timeline = timeline
        self.wal = timeline / "wal"
        self.bases_folder = timeline / "bases"

    @property
    def kept(self) -> bool:
        """Tell whether there is any history."""
        return self.wal.is_dir()

    def bases(self) -> list[Base]:
        """Give the bases that are whole, oldest first."""
        found = []
        for entry in names(self.bases_folder):
            if "." not in entry:
                with suppress(OSError, ValueError):
                    found.append(_read_base(self.bases_folder / entry))
        return found

    def sweep(self) -> None:
        """Remove what a crash left half-made."""
        with suppress(FileNotFoundError):
            for entry in os.scandir(self.bases_folder):
                if "." in entry.name:
                    remove(Path(entry.path))

    def segments(self) -> list[int]:
        """Give the numbers of the segments that are there, without a gap, up to the newest."""
        found: set[int] = set()
        for folder in (self._timeline / "data" / "pg_wal", self.wal):
            found.update(n for name in names(folder) if (n := wal.segment_number(name)) is not None)
        ordered: list[int] = []
        for segment in sorted(found, reverse=True):
            if ordered and segment != ordered[-1] - 1:
                break
            ordered.append(segment)
        return ordered[::-1]

    def usable(self) -> list[Base]:
        """Give the bases whose log is all there, oldest first."""
        segments = self.segments()
        return [base for base in self.bases() if segments and base.redo // wal.SEGMENT >= segments[0]]

    def drop(self, before: datetime, *, keep: bool) -> None:
        """Drop what reaches no moment from `before` on, or all of it.

        The newest base of an earlier moment stays: replay begins there.
        """
        bases = self.bases()
        earlier = [base for base in bases if base.at <= before]
        first = earlier[-1] if earlier and keep else None
        for base in earlier[:-1] if keep else bases:
            self._remove(base)
        if keep and first is None:
            return
        for name in names(self.wal):
            segment = wal.segment_number(name)
            if segment is None or first is None or segment < first.redo // wal.SEGMENT:
                (self.wal / name).unlink(missing_ok=True)

    def thin(self, before: datetime, apart: int) -> None:
        """Drop bases of an earlier moment between two others that are near each other in the log."""
        bases, kept = self.bases(), 0
        for position in range(1, len(bases) - 1):
            base, following = bases[position], bases[position + 1]
            if base.at < before and following.redo - bases[kept].redo <= apart:
                self._remove(base)
            else:
                kept = position

    def _remove(self, base: Base) -> None:
        gone = base.folder.with_name(base.folder.name + ".gone")
        base.folder.rename(gone)
        remove(gone)

    def content(self, segment: int) -> bytes | None:
        """Give a segment's content; None where there is none."""
        try:
            return self.reach(segment, lambda path: path.read_bytes())
        except FileNotFoundError:
            return None

    def changed(self, segment: int) -> float:
        """Give when a segment was last written to: nothing in it is of a later moment."""
        return self.reach(segment, lambda path: path.stat().st_mtime)

    def reach(self, segment: int, use: Callable[[Path], T]) -> T:
        """Use a segment where it is now: PostgreSQL may be moving it.

        Raises:
            FileNotFoundError: it is gone.
        """
        name = wal.segment_name(segment)
        places = (self.wal / name, self._timeline / "data" / "pg_wal" / name, self.wal / name)
        for place in places[:-1]:
            with suppress(FileNotFoundError):
                return use(place)
        return use(places[-1])

    def adopt(self, other: Archive, base: Base, end: int) -> None:
        """Share another timeline's base, and its log from there to before segment `end`."""
        self.wal.mkdir(mode=0o700)
        link_tree(base.folder, self.bases_folder / base.folder.name)
        for segment in range(base.redo // wal.SEGMENT, end):
            other.reach(segment, lambda path: link(path, self.wal / path.name))


def names(folder: Path) -> list[str]:
    """Give the names in a folder, sorted; none where there is no such folder."""
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return []


def link(source: Path | str, target: Path | str) -> None:
    """Give a file that never changes a second name; copy it where that cannot be."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)


def link_tree(source: Path, target: Path, skip: Callable[[str], bool] = lambda _name: False) -> None:
    """Give all files of a folder a second name."""
    target.mkdir(mode=0o700, parents=True)
    for entry, inside in _walk(str(source), ""):
        if skip(inside):
            continue
        if entry.is_dir(follow_symlinks=False):
            Path(target, inside).mkdir(mode=0o700)
        else:
            link(entry.path, f"{target}/{inside}")


def _walk(folder: str, inside: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    for entry in os.scandir(folder):
        name = inside + entry.name
        yield entry, name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, name + "/")


def write_base(folder: Path, redo: int, stop: int, at: datetime, size: int) -> None:
    """Describe a base; it counts once its folder has its final name."""
    facts = {"redo": wal.text(redo), "stop": wal.text(stop), "at": at.isoformat(), "size": size}
    (folder / "base.json").write_text(json.dumps(facts))


def base_name(stop: int) -> str:
    """Give a base's name: names sort as the log runs."""
    return f"{stop:016X}"


def _read_base(folder: Path) -> Base:
    facts = json.loads((folder / "base.json").read_text())
    return Base(
        folder,
        wal.number(facts["redo"]),
        wal.number(facts["stop"]),
        datetime.fromisoformat(facts["at"]),
        facts["size"],
    )
