"""Where branches live: a directory under its final name is complete."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from neondba.core.problem import ConflictProblem
from neondba.local.storage import memory
from neondba.postgres.binaries import majors

LAYOUT: Final = 1
"""Raise this when a directory of an older neondba can no longer be used as it is."""

ORDERED: Final = (0x58465342, 0xEF53)
"""XFS and ext4: whatever was done to the file system before a sync of one folder lasts with it.

To sync the whole file system instead would wait for all that running computes have written.
"""
BEGUN: Final = 2
"""Has `sync_file_range` begin writing what is dirty."""
WRITTEN: Final = 7
"""Has it begin that and wait for all of it."""


class Directories:
    """The data directories of all branches."""

    def __init__(self, folder: Path, owner: tuple[int, int] | None) -> None:
        self.folder = folder
        self.owner = owner
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def data(self, name: str) -> Path:
        """Give the path of a branch's data directory."""
        return self.folder / name / "data"

    def log(self, name: str) -> Path:
        """Give the path of a branch's server log."""
        return self.folder / name / "compute.log"

    def major(self, name: str) -> int:
        """Give the PostgreSQL release that wrote a branch's directory."""
        return int(_major(self.data(name)))

    def exists(self, name: str) -> bool:
        """Tell whether the branch's directory is there, and so complete."""
        return (self.folder / name).is_dir()

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """Give an empty data directory; it is the branch's if the body ends well."""
        part = self.folder / f"{name}.part"
        _drop(part)
        (part / "data").mkdir(parents=True, mode=0o700)
        try:
            part.chmod(0o700)
            self.give(part)
            self.give(part / "data")
            yield part / "data"
            (part / "layout.json").write_text(
                json.dumps({"layout": LAYOUT, "postgres": _major(part / "data")})
            )
            sync(part)
            part.rename(self.folder / name)
            sync_folder(self.folder)
        except BaseException:
            _drop(part)
            raise

    def replace(self, name: str) -> None:
        """Take a branch's directory away; a crash meanwhile leaves only rubbish."""
        gone = self.folder / f"{name}.gone"
        _drop(gone)
        with suppress(FileNotFoundError):
            (self.folder / name).rename(gone)
        sync_folder(self.folder)
        _drop(gone)

    def sweep(self, wanted: Callable[[str], bool]) -> list[str]:
        """Remove everything that is not a wanted branch's directory; give the names."""
        rubbish = [entry for entry in self.folder.iterdir() if not wanted(entry.name)]
        for entry in rubbish:
            _drop(entry)
        return [entry.name for entry in rubbish]

    def check(self, name: str) -> None:
        """Refuse a directory that this program and its PostgreSQL do not understand.

        Raises:
            ConflictProblem: it was written by another major version or another layout.
        """
        layout = _layout(self.folder / name / "layout.json")
        major, known = _major(self.data(name)), [str(number) for number in majors()]
        if layout == LAYOUT and major in known:
            return
        raise ConflictProblem(
            "data-directory-version",
            f"Branch {name} has a data directory of PostgreSQL {major}, layout {layout}; "
            f"this neondba runs PostgreSQL {' or '.join(known)} here, layout {LAYOUT}.",
            hint="Install that PostgreSQL, or open it with the neondba that made it and use pg_dump.",
            branch=name,
            folder=str(self.folder / name),
        )

    def give(self, path: Path) -> None:
        """Make the unprivileged user the owner, where PostgreSQL runs as one."""
        if self.owner is not None:
            os.chown(path, *self.owner)


def _major(data: Path) -> str:
    try:
        return (data / "PG_VERSION").read_text().strip()
    except OSError:
        return "none"


def _layout(path: Path) -> object:
    try:
        return json.loads(path.read_text())["layout"]
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"


def _drop(path: Path) -> None:
    """Delete a branch's folder, and what a server that was killed there left in memory."""
    memory.release(path / "data")
    remove(path)


def remove(path: Path) -> None:
    """Delete a folder or file if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Put a new folder on the disk: its own files where that is enough, else its whole file system."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if sys.platform != "linux":
            os.sync()
        elif _kind(descriptor) in ORDERED:
            _write_back(folder, BEGUN)
            _write_back(folder, WRITTEN)
            os.fsync(descriptor)
        elif _libc().syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)


def _kind(descriptor: int) -> int:
    found = (ctypes.c_long * 64)()
    return int(found[0]) if _libc().fstatfs(descriptor, found) == 0 else 0


def _write_back(folder: Path, how: int) -> None:
    """Have the content of all files below written; one sync then makes it lasting."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            _write_back(Path(entry.path), how)
        elif entry.stat(follow_symlinks=False).st_nlink == 1:
            descriptor = os.open(entry.path, os.O_RDONLY)
            try:
                if _libc().sync_file_range(descriptor, ctypes.c_int64(0), ctypes.c_int64(0), how) != 0:
                    code = ctypes.get_errno()
                    raise OSError(code, os.strerror(code), entry.path)
            finally:
                os.close(descriptor)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
