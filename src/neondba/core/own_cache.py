"""The user's folder for what can be had again at any time, and that nobody else can write there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def folder(name: str) -> Path:
    """Give the folder for one kind of thing; it need not be there."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("neondba", appauthor=False)) / name


def made(folder: Path) -> bool:
    """Make a folder where there is none; tell whether it is this user's own.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_absolute():  # Without a home, `~/.cache` would come to lie wherever we are.
        return False
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return is_own(folder)


def is_own(path: Path) -> bool:
    """Tell whether only this user can write here.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    held = path.lstat()
    return (
        path.is_absolute()
        and not path.is_symlink()
        and held.st_uid == os.getuid()
        and not held.st_mode & 0o022
    )


@contextmanager
def replaced(file: Path) -> Iterator[Path]:
    """Give a new file to fill, which then takes the place of this one: all or nothing.

    Raises:
        OSError: it cannot be written.
    """
    part = file.with_suffix(f".{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def make_room(folder: Path, pattern: str, most: int) -> None:
    """Remove the oldest files of a kind until so many are left."""
    files = sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime)
    for file in files[:-most]:
        file.unlink(missing_ok=True)
