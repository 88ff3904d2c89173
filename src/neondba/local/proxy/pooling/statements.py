"""Prepared statements of the protocol, which move with a client between server connections."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import count
from typing import Final
from weakref import WeakValueDictionary

from neondba.local.proxy import messages

PARSE_COMPLETE: Final = messages.message(b"1")
CLOSE_COMPLETE: Final = messages.message(b"3")


class Statement:
    """One text that somebody prepared; all who prepare the same text share it."""

    __slots__ = ("__weakref__", "body", "name")

    def __init__(self, body: bytes, name: bytes) -> None:
        self.body, self.name = body, name

    def parse(self) -> bytes:
        """Write the message that prepares it under its own name."""
        return messages.message(b"P", self.name + b"\0" + self.body)

    def close(self) -> bytes:
        """Write the message that gives it up."""
        return messages.message(b"C", b"S" + self.name + b"\0")


class Statements:
    """All statements that some client or server connection still has."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[bytes, Statement] = WeakValueDictionary()
        self._numbers = count(1)

    def of(self, body: bytes) -> Statement:
        """Give the statement with this text and these parameter types."""
        found = self._known.get(body)
        if found is None:
            found = self._known[body] = Statement(body, b"PGBOUNCER_%d" % next(self._numbers))
        return found


@dataclass(frozen=True, slots=True)
class Named:
    """A message that names a statement."""

    kind: int
    name: bytes
    before: bytes
    """What stands before the name in the message."""
    rest: int
    """Where what follows the name begins, counted from the message's first byte."""


def named(kind: int, head: bytes, size: int) -> Named | None:
    """Read which statement a Parse, Bind, Describe or Close is about; None: too few bytes yet.

    Raises:
        ValueError: it is malformed.
    """
    at = end = 5
    if kind in b"DC":
        if len(head) > 5 and head[5] != ord("S"):
            return Named(kind, b"", b"", 0)
        at = 6
    elif kind == ord("B"):
        at = head.find(b"\0", 5) + 1
    if at:
        end = head.find(b"\0", at)
    if at and end >= 0:
        return Named(kind, head[at:end], head[5:at], end + 1)
    if len(head) >= size:
        raise ValueError("malformed message")
    return None


def renamed(message: Named, name: bytes, size: int) -> bytes:
    """Write the message's beginning with another name; what follows the name stays as it is."""
    rest = size - message.rest
    head = message.before + name + b"\0"
    return struct.pack("!BI", message.kind, 4 + len(head) + rest) + head
