"""The shared memory of a PostgreSQL that was killed: it outlives its directory unless somebody removes it.

A server that starts again over the same directory finds and removes it by itself. The system has room for
4096 such segments.
"""

from __future__ import annotations

import ctypes
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

SEGMENTS: Final = Path("/proc/sysvipc/shm")
FILES: Final = Path("/dev/shm")  # noqa: S108 - PostgreSQL's own place
READ_ONLY: Final = 0o10000
REMOVE: Final = 0
LINE: Final = 6
"""The line of postmaster.pid with key and number of the segment."""
HANDLE: Final = struct.Struct("=24xI")
"""Where its header says which file lists the server's further memory."""


def release(data: Path) -> None:
    """Remove what a server left that was killed over this directory and is not there any more."""
    with suppress(OSError, ValueError, IndexError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        creator, number = abs(int(lines[0])), int(lines[LINE].split()[1])
        if _is_left(number, creator):
            _remove(number)


def _is_left(number: int, creator: int) -> bool:
    """Tell whether that process made this segment, and nobody uses it."""
    for line in SEGMENTS.read_text().splitlines()[1:]:
        fields = [int(field) for field in line.split()[:7]]
        if fields[1] == number:
            return fields[4] == creator and fields[6] == 0
    return False


def _remove(number: int) -> None:
    system = ctypes.CDLL(None, use_errno=True)
    system.shmat.restype = ctypes.c_void_p
    system.shmdt.argtypes = [ctypes.c_void_p]
    address = system.shmat(number, None, READ_ONLY)
    if address not in (None, ctypes.c_void_p(-1).value):
        (handle,) = HANDLE.unpack(ctypes.string_at(address, HANDLE.size))
        system.shmdt(address)
        (FILES / f"PostgreSQL.{handle}").unlink(missing_ok=True)
    system.shmctl(number, REMOVE, None)
