"""What went over a connection, as a record: sessions, statements, errors, transactions."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from neondba.core.secret import Secret
from neondba.local.proxy.messages import fields_of

MOST_STATEMENTS: Final = 200_000
LONGEST_TEXT: Final = 20_000
LONGEST_VALUE: Final = 64
LONGEST_BODY: Final = 1 << 20
"""Bytes of a message that are looked at; rows that are longer pass unread."""
_KEPT: Final = {True: frozenset(b"QPBECSX"), False: frozenset(b"ZECsI1ND")}
_ROW: Final = ord("D")


@dataclass(eq=False)
class Sent:
    """A statement on its way to the server and back."""

    session: Session
    text: str
    values: str
    """A digest of its parameters: alike for the same ones."""
    at: float
    within: bool
    """True in a transaction that was open already."""
    flags: tuple[bool | None, ...] = ()
    """Its parameters as far as they read as true or false."""
    done: float | None = None
    tag: str = ""
    row: str | None = None
    """The one value of an answer of one short value."""
    error: Mapping[str, str] | None = None
    notices: list[str] = field(default_factory=list)
    rows: int = 0


@dataclass(eq=False)
class Session:
    """One connection of the application."""

    number: int
    pooled: bool
    opened: float
    parameters: Mapping[str, str] = field(default_factory=dict)
    password: Secret | None = None
    """What it logged in with."""
    admitted: float | None = None
    refused: Mapping[str, str] | None = None
    """What the server said instead of letting it in."""
    closed: float | None = None
    closed_by: str = ""
    """`client`, `server` or `relay`."""
    status: str = "I"
    """`T` in a transaction, `E` in a failed one."""
    cut_within: bool = False
    """True when the server closed it in a transaction."""
    last_words: Mapping[str, str] | None = None
    """An error that the server sent when nothing was asked of it."""


class Record:
    """All sessions and statements of one run; filled by many threads."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.sessions: list[Session] = []
        self.statements: list[Sent] = []
        self.count = 0
        self.before: Callable[[Sent], None] = lambda _sent: None
        """Called before a statement goes to the server; it waits meanwhile."""
        self.after: Callable[[Session, list[Sent]], None] = lambda _session, _sent: None
        """Called when the server has answered and no transaction is open, before the client knows."""
        self._guard = threading.Lock()

    def restart(self) -> None:
        """Forget what was, and count the time from now on."""
        with self._guard:
            self.begun = time.monotonic()
            self.sessions.clear()
            self.statements.clear()
            self.count = 0

    def now(self) -> float:
        """Give the seconds since the run began."""
        return time.monotonic() - self.begun

    def session(self, parameters: Mapping[str, str], *, pooled: bool) -> Session:
        """Note that a client came."""
        with self._guard:
            made = Session(len(self.sessions) + 1, pooled, self.now(), dict(parameters))
            self.sessions.append(made)
            return made

    def add(self, sent: Sent) -> None:
        """Note a statement; past a limit only that there was one."""
        with self._guard:
            self.count += 1
            if len(self.statements) < MOST_STATEMENTS:
                self.statements.append(sent)

    def errors(self) -> Iterator[Sent]:
        """Give the statements that the server refused."""
        return (sent for sent in self.statements if sent.error is not None)


class Framer:
    """Cut a stream into messages; give those that are looked at."""

    def __init__(self, *, from_client: bool) -> None:
        self._kept = _KEPT[from_client]
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Give each message that is complete now, if it is of a kind that is looked at."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        self._buffer += data
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 5:
            kind, length = buffer[at], int.from_bytes(buffer[at + 1 : at + 5], "big") + 1
            if kind not in self._kept or length > LONGEST_BODY:
                if kind in self._kept:
                    yield kind, bytes(buffer[at + 5 :])
                at += length
                continue
            if len(buffer) - at < length:
                break
            yield kind, bytes(buffer[at + 5 : at + length])
            at += length
        if at > len(buffer):
            self._skip, at = at - len(buffer), len(buffer)
        del buffer[:at]


class Conversation:
    """Follow one session by its messages."""

    def __init__(self, record: Record, session: Session) -> None:
        self._record, self._session = record, session
        self._client, self._server = Framer(from_client=True), Framer(from_client=False)
        self._prepared: dict[bytes, str] = {}
        self._portals: dict[bytes, tuple[str, str, tuple[bool | None, ...]]] = {}
        self._awaited: deque[tuple[str, Sent | None]] = deque()
        self._since: list[Sent] = []
        """Statements since the last moment without a transaction."""

    @property
    def in_flight(self) -> list[Sent]:
        """The statements that were not answered."""
        return [sent for kind, sent in self._awaited if sent is not None and kind != "P"]

    def broke(self) -> None:
        """Note that what is in flight gets no answer."""
        for sent in self.in_flight:
            if sent.done is None:
                sent.error, sent.done = (
                    {"C": "", "M": "the connection was closed under it"},
                    self._record.now(),
                )

    def said(self, data: bytes) -> bool:
        """Take what the client sends; tell whether it says goodbye."""
        leaving = False
        for kind, body in self._client.feed(data):
            match chr(kind):
                case "Q":
                    self._send("Q", _text(body), "", ())
                case "P":
                    name, _, rest = body.partition(b"\0")
                    self._prepared[name] = _text(rest)
                    self._awaited.append(("P", self._made(self._prepared[name], "", ())))
                case "B":
                    self._bind(body)
                case "E":
                    portal = self._portals.get(body.partition(b"\0")[0], ("", "", ()))
                    self._send("E", *portal)
                case "S":
                    self._awaited.append(("S", None))
                case "X":
                    leaving = True
        return leaving

    def _bind(self, body: bytes) -> None:
        portal, _, rest = body.partition(b"\0")
        name, _, values = rest.partition(b"\0")
        digest = hashlib.sha256(values).hexdigest()[:16]
        self._portals[portal] = (self._prepared.get(name, ""), digest, _flags(values))

    def _made(self, text: str, values: str, flags: tuple[bool | None, ...]) -> Sent:
        session = self._session
        return Sent(session, text, values, self._record.now(), session.status != "I", flags)

    def _send(self, kind: str, text: str, values: str, flags: tuple[bool | None, ...]) -> None:
        sent = self._made(text, values, flags)
        self._record.add(sent)
        self._since.append(sent)
        self._awaited.append((kind, sent))
        self._record.before(sent)

    def heard(self, data: bytes) -> None:
        """Take what the server answers."""
        for kind, body in self._server.feed(data):
            match chr(kind):
                case "1":
                    if self._awaited and self._awaited[0][0] == "P":
                        self._awaited.popleft()
                case "C" | "s" | "I":
                    self._completed(_text(body) if kind == ord("C") else "")
                case "D":
                    self._row(body)
                case "E":
                    self._failed(fields_of(body))
                case "N":
                    self._noticed(fields_of(body))
                case "Z":
                    self._ready(body.decode("ascii", "replace"))

    def _head(self) -> tuple[str, Sent | None]:
        return self._awaited[0] if self._awaited else ("", None)

    def _completed(self, tag: str) -> None:
        kind, sent = self._head()
        if sent is None:
            return
        sent.tag, sent.done = tag, self._record.now()
        if kind == "E":
            self._awaited.popleft()

    def _row(self, body: bytes) -> None:
        _, sent = self._head()
        if sent is None:
            return
        sent.rows += 1
        length = int.from_bytes(body[2:6], "big", signed=True)
        one = sent.rows == 1 and body[:2] == b"\0\1" and length <= LONGEST_VALUE
        sent.row = (body[6:].decode(errors="replace") if length >= 0 else "null") if one else None

    def _failed(self, parts: Mapping[str, str]) -> None:
        kind, sent = self._head()
        if sent is None:
            self._session.last_words = parts
            return
        sent.error, sent.done = parts, self._record.now()
        if kind == "P":
            # What was only prepared is a statement of its own once it fails.
            following = next((s for k, s in self._awaited if k == "E" and s and s.text == sent.text), None)
            if following is None:
                self._record.add(sent)
            else:
                following.error, following.done = parts, sent.done
            self._awaited.popleft()

    def _noticed(self, parts: Mapping[str, str]) -> None:
        _, sent = self._head()
        if sent is not None and len(sent.notices) < 5:
            sent.notices.append(parts.get("M", ""))

    def _ready(self, status: str) -> None:
        while self._awaited:
            kind, sent = self._awaited.popleft()
            if kind == "Q" and sent is not None and sent.done is None:
                sent.done = self._record.now()
            if kind in "QS":
                break
        self._session.status = status
        if status == "I":
            over, self._since = self._since, []
            self._record.after(self._session, over)


def _text(body: bytes) -> str:
    return body.partition(b"\0")[0][:LONGEST_TEXT].decode(errors="replace").strip()


def _flags(values: bytes) -> tuple[bool | None, ...]:
    """Read the parameters of a Bind message that are true or false; others are not looked at."""
    formats = int.from_bytes(values[:2], "big")
    at = 2 + 2 * formats
    count = int.from_bytes(values[at : at + 2], "big")
    at += 2
    found: list[bool | None] = []
    for _ in range(min(count, 100)):
        length = int.from_bytes(values[at : at + 4], "big", signed=True)
        value = values[at + 4 : at + 4 + max(length, 0)].lower()
        known = {b"t": True, b"true": True, b"\1": True, b"f": False, b"false": False, b"\0": False}
        found.append(known.get(value))
        at += 4 + max(length, 0)
    return tuple(found)
