"""A second client at the same pooler, which looks for what the first has left in the connection.

Where it sees something, it keeps that connection for a while, as any client in a transaction does: the
application then gets another one, and shows what it makes of that.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from neondba.connections.rehearse_record import Record, Sent, Session
from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.neon.connection_string import parse
from neondba.postgres.session_use import SessionUse, uses

if TYPE_CHECKING:
    from neondba.postgres.connect import Connection

MOST_HELD: Final = 3
STUCK: Final = 5.0
"""Seconds that a statement may wait before the second client lets go of what it keeps."""
TRACKED: Final = frozenset(
    {"client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name"}
)
"""Settings that Neon's pooler keeps for each client."""

_Pool = tuple[str, str]
"""Role and database."""


@dataclass(frozen=True)
class Left:
    """Something that a client found in its connection and did not put there."""

    kind: str
    name: str
    value: str | None


@dataclass
class OtherClient:
    """Called by the relay's threads when the application has ended a transaction."""

    url: Secret
    """The pooled address of the branch, whose role is put in for each session's own."""
    record: Record
    seen: dict[str, list[Left]] = field(default_factory=dict)
    """What was found after a statement, by its text."""
    looked: set[str] = field(default_factory=set)
    """Texts after which it looked."""
    stuck: list[Sent] = field(default_factory=list)
    """Statements that waited for what it kept."""
    trouble: str = ""
    _held: deque[tuple[_Pool, Connection]] = field(default_factory=deque)
    """What it keeps, and of which pool each is: every role has one for each database."""
    _free: dict[_Pool, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _watch: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self.record.after = self.after
        self._watch = threading.Thread(target=self._watching, daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """Look no more, and let go of all."""
        self.record.after = lambda _session, _sent: None
        self._over.set()
        if self._watch is not None:
            self._watch.join(10)
        with self._guard:
            self._release(len(self._held))
            for each in (client for free in self._free.values() for client in free):
                each.close()
            self._free.clear()

    def after(self, session: Session, sent: list[Sent]) -> None:
        """Look for what these statements have left."""
        if not session.pooled or session.password is None:
            return
        kept = [(each, use) for each in sent if each.error is None for use in keeping(each)]
        if not kept:
            return
        with self._guard, _noted(self):
            self._look(session, kept)

    def _look(self, session: Session, kept: list[tuple[Sent, SessionUse]]) -> None:
        from neondba.postgres.connect import Refused, ask

        pool = (session.parameters["user"], session.parameters.get("database") or session.parameters["user"])
        client = self._client(session, pool)
        try:
            found = [Left(row["kind"], row["name"], row["value"]) for row in ask(client, "session_left")]
            found += _own_settings(client, kept)
        except Refused as error:
            self.trouble = self.trouble or str(error).splitlines()[0]
            client.close()
            return
        for sent, use in kept:
            self.looked.add(sent.text)
            mine = [left for left in found if left.kind == use.kind and _fits(left, use)]
            if mine and sent.text not in self.seen:
                self.seen[sent.text] = mine
        if not found:
            client.rollback()
            self._free[pool].append(client)
            return
        self._held.append((pool, client))
        self._release(len(self._held) - MOST_HELD)

    def _client(self, session: Session, pool: _Pool) -> Connection:
        from neondba.postgres.connect import connect

        if self._free[pool]:
            return self._free[pool].pop()
        address = parse(self.url).with_role(pool[0], session.password).with_database(pool[1])
        return connect(address.render(), autocommit=False)

    def _release(self, count: int) -> None:
        for _ in range(count):
            pool, client = self._held.popleft()
            with suppress(Exception):
                client.rollback()
            if not client.closed:
                self._free[pool].append(client)

    def _watching(self) -> None:
        while not self._over.wait(0.25):
            now = self.record.now()
            waiting = [s for s in self.record.statements[-200:] if s.done is None and now - s.at > STUCK]
            if waiting and self._held:
                with self._guard:
                    self.stuck += [each for each in waiting if each not in self.stuck]
                    self._give_up()

    def _give_up(self) -> None:
        """Undo what keeps the application waiting: locks in the connections that are kept."""
        for _, client in self._held:
            with suppress(Exception):
                client.execute("select pg_advisory_unlock_all()")
        self._release(len(self._held))


@contextmanager
def _noted(other: OtherClient) -> Iterator[None]:
    """Note a problem of the second client; it must not become the application's."""
    try:
        yield
    except Problem as problem:
        other.trouble = other.trouble or problem.message


def keeping(sent: Sent) -> Iterator[SessionUse]:
    """Give what a statement keeps in its session, as far as the pooler does not take care of it."""
    for use in uses(sent.text):
        local = (
            use.unless is not None and use.unless <= len(sent.flags) and sent.flags[use.unless - 1] is True
        )
        if use.does == "keeps" and not local and use.name not in TRACKED:
            yield use


def _own_settings(client: Connection, kept: list[tuple[Sent, SessionUse]]) -> list[Left]:
    """Look for settings of the application's own, which the server lists nowhere."""
    found = []
    for name in sorted({use.name for _, use in kept if use.kind == "setting" and "." in use.name}):
        row = client.execute("select current_setting(%s, true) as value", [name]).fetchone()
        if row and row["value"]:
            found.append(Left("setting", name, row["value"]))
    return found


def _fits(left: Left, use: SessionUse) -> bool:
    if use.kind in ("advisory lock", "role"):
        return True
    if use.name == "session characteristics":
        return left.name.startswith("default_transaction_")
    return not use.name or left.name.lower() == use.name.lower()
