"""The way in to a compute: wake it, connect, log in without a password."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Final

from neondba.local.proxy import messages
from neondba.local.proxy.messages import ProtocolError
from neondba.local.proxy.startup import Refusal
from neondba.local.proxy.wire import Wire
from neondba.local.routing import Directory, Moment

CONNECT_TRIES: Final = 100
BETWEEN_TRIES: Final = 0.05
NO_COMPUTE: Final = "Couldn't connect to compute node"
LONGEST_GREETING: Final = 1 << 20
STARTING: Final = "57P03"
NOBODY: Final = "neondba_nobody"

Said = list[tuple[bytes, bytes]]


class ComputeStarting(Exception):
    """The compute is there and does not take connections yet."""


@dataclass(frozen=True)
class Entered:
    """A connection to a compute, and what that said so far."""

    wire: Wire
    path: str
    said: Said

    @property
    def ready(self) -> bool:
        """Tell whether it let us in: otherwise its last words are the error."""
        return self.said[-1][0] == b"Z"


async def enter(
    directory: Directory, endpoint: str, moment: Moment | None, version: int, parameters: dict[str, str]
) -> Entered:
    """Wake the compute and log in, as often as it takes while it starts.

    Raises:
        Refusal: it does not start.
        ProtocolError: it does not trust the proxy.
    """
    for _ in range(CONNECT_TRIES):
        route = await directory.wake(endpoint, moment)
        wire = Wire(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            await connect(wire, route.socket)
            return Entered(wire, route.socket, await greet(wire, version, parameters))
        except (OSError, EOFError, ComputeStarting):
            wire.close()
            await asyncio.sleep(BETWEEN_TRIES)
        except BaseException:
            wire.close()
            raise
    raise Refusal(NO_COMPUTE)


async def connect(wire: Wire, path: str) -> None:
    """Connect to a Unix socket."""
    try:
        await asyncio.get_running_loop().sock_connect(wire.sock, path)
    except BlockingIOError:
        # Its queue of new connections is full: that passes, as starting does.
        raise ComputeStarting from None


async def greet(wire: Wire, version: int, parameters: dict[str, str]) -> Said:
    """Log in at the compute; give its messages up to ReadyForQuery or its error.

    Raises:
        ComputeStarting: it will take connections in a moment.
        EOFError: it broke off.
        ProtocolError: it does not trust the proxy.
    """
    await wire.send(messages.startup(version, parameters))
    said: Said = []
    while True:
        kind, body = await wire.message(LONGEST_GREETING)
        if kind == b"R" and body != b"\0\0\0\0":
            raise ProtocolError("the compute asks for a password that the proxy does not have")
        if kind == b"E" and messages.fields_of(body).get("C") == STARTING:
            raise ComputeStarting
        said.append((kind, body))
        if kind in (b"E", b"Z"):
            return said


async def ask(wire: Wire, query: str) -> str:
    """Give the first column of a query's last row.

    Raises:
        EOFError: the compute broke off.
    """
    await wire.send(messages.message(b"Q", query.encode() + b"\0"))
    answer = ""
    while True:
        kind, body = await wire.message(LONGEST_GREETING)
        if kind == b"D":
            answer = body[6 : 6 + int.from_bytes(body[2:6], "big")].decode()
        if kind == b"Z":
            return answer


async def alive(path: str) -> bool:
    """Tell whether a compute takes connections there, now or after its recovery."""
    wire = Wire(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        await connect(wire, path)
        # A role that nobody has: which refusal comes is what matters.
        await wire.send(messages.startup(messages.PROTOCOL_3, {"user": NOBODY, "database": "postgres"}))
        _, body = await wire.message(LONGEST_GREETING)
        return "shutting down" not in messages.fields_of(body).get("M", "")
    except ComputeStarting:
        return True
    except (OSError, EOFError):
        return False
    finally:
        wire.close()
