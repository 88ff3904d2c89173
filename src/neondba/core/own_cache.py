"""The user's folder for what can be had again at any time, and that nobody else can write there."""

from __future__ import annotations

import os
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
