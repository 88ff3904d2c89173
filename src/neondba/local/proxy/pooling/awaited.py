"""What a server connection still has to answer, in order."""

from __future__ import annotations

from typing import Final

from neondba.local.proxy.pooling.statements import Statement

READY: Final = frozenset(b"Z")


class Awaited:
    """One message that was sent, or whose answer we owe."""

    __slots__ = ("ends", "fake", "name", "shown", "statement")

    def __init__(
        self,
        ends: bytes,
        *,
        shown: bool = True,
        fake: bytes = b"",
        statement: Statement | None = None,
        name: bytes = b"",
    ) -> None:
        self.ends = frozenset(ends)
        """The answers that finish it."""
        self.shown = shown
        """Whether the client asked for it."""
        self.fake = fake
        """The answer that we give ourselves, in its turn."""
        self.statement = statement
        """What is being prepared: not there when this fails."""
        self.name = name
        """The client's name for it."""


QUERY: Final = Awaited(b"Z")
SYNC: Final = Awaited(b"Z")
SETTING: Final = Awaited(b"Z", shown=False)
EXECUTE: Final = Awaited(b"CIs")
BIND: Final = Awaited(b"2")
DESCRIBE: Final = Awaited(b"Tn")
CLOSE: Final = Awaited(b"3")
PARSE: Final = Awaited(b"1")
HIDDEN_CLOSE: Final = Awaited(b"3", shown=False)
AWAITED: Final = {
    ord("Q"): QUERY,
    ord("S"): SYNC,
    ord("E"): EXECUTE,
    ord("P"): PARSE,
    ord("B"): BIND,
    ord("D"): DESCRIBE,
    ord("C"): CLOSE,
}
"""By the letter of the message that was sent; statements without a name."""
