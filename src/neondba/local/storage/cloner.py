"""Two ways to clone a file: the file system decides, so it is tried."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final, Protocol

FICLONE: Final = 0x40049409
FLUSHED: Final = 7
"""What `sync_file_range` is to do: begin writing what is dirty, and wait for all of it."""
SMALL: Final = 64 * 1024
CHUNK: Final = 64 * 1024
"""Small: a buffer is allocated anew for every file."""
THREADS: Final = 2


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


class Cloner(Protocol):
    """A way to clone one file."""

    name: str
    """How a branch's answer calls it."""

    def clone(self, source: int, target: int) -> None:
        """Make the empty open file `target` hold what `source` holds."""


class FileClone:
    """Share the blocks until one side changes them: btrfs, XFS, bcachefs."""

    name = "ficlone"

    def clone(self, source: int, target: int) -> None:
        """Share the source's blocks with the target."""
        import fcntl

        # The ioctl flushes, too, but keeps writers of the file waiting meanwhile.
        _libc().sync_file_range(source, ctypes.c_int64(0), ctypes.c_int64(0), FLUSHED)
        fcntl.ioctl(target, FICLONE, source)


class FileCopy:
    """Copy the bytes, inside the kernel where it can."""

    name = "copy"

    def clone(self, source: int, target: int) -> None:
        """Copy the source's bytes to the target."""
        if os.fstat(source).st_size > SMALL and self._in_kernel(source, target):
            return
        while more := os.read(source, CHUNK):
            _write(target, more)
            if len(more) < CHUNK:
                return

    @staticmethod
    def _in_kernel(source: int, target: int) -> bool:
        if not hasattr(os, "copy_file_range"):
            return False
        try:
            while os.copy_file_range(source, target, 1 << 30):
                pass
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP):
                return False
            raise
        return True


def _write(target: int, content: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part first and then says so."""
    left = memoryview(content)
    while left:
        left = left[os.write(target, left) :]


def choose(folder: Path) -> Cloner:
    """Try a file clone in this folder; copy where the file system has none."""
    if sys.platform != "linux":
        return FileCopy()
    with tempfile.TemporaryFile(dir=folder) as source, tempfile.TemporaryFile(dir=folder) as target:
        source.write(b"x" * 8192)
        source.flush()
        try:
            FileClone().clone(source.fileno(), target.fileno())
        except OSError:
            return FileCopy()
    return FileClone()


def clone_file(cloner: Cloner, source: Path | str, target: Path | str, owner: tuple[int, int] | None) -> None:
    """Clone one file; one that vanished meanwhile is in the WAL as such."""
    try:
        into = os.open(source, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            if owner is not None:
                os.fchown(out, *owner)
            cloner.clone(into, out)
        finally:
            os.close(out)
    finally:
        os.close(into)


def clone_tree(
    cloner: Cloner,
    source: Path,
    target: Path,
    *,
    owner: tuple[int, int] | None,
    skip: Callable[[str], bool] = lambda _name: False,
) -> None:
    """Clone a folder's files; `skip` gets each path inside the source."""
    pairs = list(_files(str(source), str(target), "", owner, skip))

    def share(number: int) -> None:
        for one, other in pairs[number::THREADS]:
            clone_file(cloner, one, other, owner)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(share, range(THREADS)):
            pass


def _files(
    source: str, target: str, inside: str, owner: tuple[int, int] | None, skip: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    Path(target).mkdir(mode=0o700, exist_ok=True)
    if owner is not None:
        os.chown(target, *owner)
    try:
        entries = list(os.scandir(source))
    except FileNotFoundError:
        return
    for entry in entries:
        name = inside + entry.name
        if skip(name):
            continue
        into = f"{target}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path, into, name + "/", owner, skip)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path, into
