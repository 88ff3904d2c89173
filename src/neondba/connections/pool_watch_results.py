"""What `pool.watch` answers."""

from __future__ import annotations

import textwrap
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from neondba.core.duration import spell
from neondba.neon.limits import MAX_CLIENT_CONN


class Holder(BaseModel):
    """Connections that are alike: same program, role, database, state."""

    application: str
    role: str | None
    database: str | None
    state: str
    waits_for: str | None
    connections: int
    oldest_seconds: float
    """Of the connection that was opened first."""
    state_seconds: float
    """The longest time in this state."""
    transaction_seconds: float
    """Of the longest transaction."""


class PoolSeen(BaseModel):
    """The pooler's connections for one role and database."""

    database: str
    role: str
    clients: int
    waiting: int
    longest_wait_seconds: float
    servers: int
    busy: int
    size: int

    @property
    def saturation(self) -> float:
        """The share of its server connections that are at work."""
        return self.busy / self.size


class Look(BaseModel):
    """One look at a compute's connections."""

    at: datetime
    connections: int
    """Server connections of clients, our own left out."""
    max_connections: int
    reserved: int
    holders: tuple[Holder, ...]
    pools: tuple[PoolSeen, ...] | None = None
    """Absent where the pooler's console is not reachable."""

    @property
    def usable(self) -> int:
        """What clients may have."""
        return self.max_connections - self.reserved

    def counted(self, *states: str) -> int:
        """Count the connections in these states."""
        return sum(each.connections for each in self.holders if each.state.startswith(states))

    def line(self) -> str:
        """Write it as one line of a series."""
        parts = [
            f"{self.at:%H:%M:%S}",
            f"server {self.connections:4} of {self.usable} ({self.connections / self.usable:4.0%})",
            f"active {self.counted('active'):3}",
            f"idle in transaction {self.counted('idle in'):3}",
        ]
        if self.pools is not None:
            clients, waiting = (sum(getattr(p, name) for p in self.pools) for name in ("clients", "waiting"))
            longest = max((each.longest_wait_seconds for each in self.pools), default=0.0)
            parts += [f"clients {clients:4}", f"waiting {waiting:3}", f"longest wait {longest:.1f} s"]
        return "  ".join(parts)


class Watch(BaseModel):
    """Client and server connections, waits and saturation."""

    address: str
    looks: tuple[Look, ...]
    said: tuple[str, ...]
    """What stands out."""
    not_checked: tuple[str, ...]
    told: Literal["", "as lines", "as JSON"] = ""
    """How the looks were printed as they came, if they were."""

    @property
    def is_fed(self) -> bool:
        """True where a program has read all of it already, line by line."""
        return self.told == "as JSON"

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        if self.is_fed:
            return ""
        width = max(60, width)
        parts = [] if self.told else [self.address, ""]
        if len(self.looks) > 1 and not self.told:
            parts += [*(each.line() for each in self.looks), ""]
        if self.looks:
            parts += _look(self.looks[-1])
        for text in self.said:
            parts += textwrap.wrap(f"note         {text}", width, subsequent_indent=" " * 13)
        for text in self.not_checked:
            parts += textwrap.wrap(f"not checked  {text}", width, subsequent_indent=" " * 13)
        return "\n".join(parts)


def _look(look: Look) -> list[str]:
    share = look.connections / look.usable
    parts = [
        f"Server connections: {look.connections} of {look.usable} ({share:.0%})",
        f"  = {look.connections} / (max_connections {look.max_connections} - {look.reserved} reserved)",
    ]
    for pool in look.pools or ():
        parts += [
            f"Pooler, {pool.role} on {pool.database}: {pool.clients} clients, {pool.waiting} waiting, "
            f"{pool.busy} of {pool.size} server connections busy ({pool.saturation:.0%})",
            f"  = {pool.busy} / floor(0.9 x max_connections {look.max_connections})",
        ]
    if look.pools:
        clients = sum(each.clients for each in look.pools)
        parts += [f"Clients of the pooler: {clients} of {MAX_CLIENT_CONN} ({clients / MAX_CLIENT_CONN:.1%})"]
    if look.holders:
        parts += ["", *_table(look.holders)]
    return [*parts, ""]


_HEAD = ("connections", "application", "role", "database", "state", "for", "oldest", "waits for")


def _table(holders: tuple[Holder, ...]) -> list[str]:
    rows = [_HEAD, *(_row(each) for each in holders)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    return [
        "  ".join(text.ljust(size) for text, size in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _row(each: Holder) -> tuple[str, ...]:
    return (
        str(each.connections), each.application or "(none)", each.role or "", each.database or "", each.state,
        _time(each.state_seconds), _time(each.oldest_seconds), each.waits_for or "",
    )  # fmt: skip


def _time(seconds: float) -> str:
    return spell(timedelta(seconds=seconds))
