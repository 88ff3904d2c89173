"""Which user of this machine is at the other end of a connection, as Linux tells it.

Loopback is open to every user of a machine, and any bearer token is accepted: without this, each of
them could read the passwords of all projects.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Final

Address = tuple[str, int]

SOCK_DIAG: Final = 4
BY_FAMILY: Final = 20
REQUEST: Final = 1
ALL_STATES: Final = 0xFFFFFFFF
NO_COOKIE: Final = (0xFFFFFFFF, 0xFFFFFFFF)
HEADER: Final = struct.Struct("=IHHII")
FOUND: Final = struct.Struct("=BBBB48xIIIII")
PATIENCE: Final = 1.0


def is_foreign(client: Address, server: Address) -> bool:
    """Tell whether another user than ours or root holds the client's end; False where nobody can tell."""
    if not hasattr(socket, "AF_NETLINK"):
        return False
    try:
        holder = _holder(client, server)
        if holder is None:
            # A client that is gone has no holder; a kernel that does not answer knows not even our own end.
            return _holder(server, client) is not None
    except (OSError, struct.error):
        return False
    return holder not in (os.geteuid(), 0)


def _holder(end: Address, other: Address) -> int | None:
    """Ask for the user of one end of a connection; None when no process has it."""
    ends = struct.pack("!HH", end[1], other[1])
    ends += b"".join(socket.inet_aton(host).ljust(16, b"\0") for host in (end[0], other[0]))
    asked = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ALL_STATES)
    asked += ends + struct.pack("=III", 0, *NO_COOKIE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        kernel.settimeout(PATIENCE)
        kernel.send(HEADER.pack(HEADER.size + len(asked), BY_FAMILY, REQUEST, 1, 0) + asked)
        answer = kernel.recv(8192)
    if HEADER.unpack_from(answer)[1] != BY_FAMILY:
        return None
    *_, user, inode = FOUND.unpack_from(answer, HEADER.size)
    return int(user) if inode else None
