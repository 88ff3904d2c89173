"""Refuse a branch that the disk cannot hold before it is promised."""

from __future__ import annotations

import os
from typing import Final

from neondba.local.api.call import Refusal
from neondba.local.control.plane import Plane

SPARE: Final = 64 << 20
"""Bytes that stay free: PostgreSQL needs some to run at all."""


def require_space(plane: Plane, timeline_id: str) -> None:
    """Compare what a copy of the parent takes with what is free."""
    free = os.statvfs(plane.branches.folder)
    needed = SPARE
    if plane.cloner.name == "copy":
        needed += _size(plane.branches.data(timeline_id))
    available = free.f_bavail * free.f_frsize
    if available < needed:
        message = (
            f"no space left: the branch needs {needed >> 20} MB and {available >> 20} MB are free on the "
            f"disk that holds {plane.branches.folder}"
        )
        if plane.sweeper.make_room():
            message += "; deleted branches that could be recovered are being removed now, try again"
        raise Refusal(507, message, "INSUFFICIENT_STORAGE")


def _size(folder: str | os.PathLike[str]) -> int:
    total = 0
    try:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                total += _size(entry.path)
            else:
                total += entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return total
    return total
