"""Marks that live as long as their process, so that the next one sees what a killed one left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def marked(folder: Path, name: str) -> Iterator[None]:
    """Hold a mark; the system lets go of it however the process ends."""
    import fcntl

    descriptor = None
    path = folder / name
    # Without a mark the thing is still swept when it expires; a full disk must not stop the work.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def abandoned(folder: Path) -> set[str]:
    """Name the marks whose process is gone."""
    import fcntl

    found = set()
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.add(path.name)
            finally:
                os.close(descriptor)
    return found


def forget(folder: Path, name: str) -> None:
    """Remove a mark."""
    with suppress(OSError):
        (folder / name).unlink(missing_ok=True)
