"""The pooler's own database: it shows the pools, in PgBouncer's columns."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from neondba.local.proxy import messages
from neondba.local.proxy.pooling.client import refusal
from neondba.local.proxy.pooling.pool import Seen
from neondba.local.proxy.pooling.pools import Place, Pools
from neondba.local.proxy.wire import Wire

DATABASE: Final = "pgbouncer"
_LONGEST: Final = 10_000
_TEXT: Final = 25
_COLUMNS: Final = (
    "database", "user", "cl_active", "cl_waiting", "sv_active", "sv_idle", "sv_login", "maxwait",
    "maxwait_us", "pool_mode", "pool_size",
)  # fmt: skip
_READY: Final = messages.message(b"Z", b"I")


async def serve(client: Wire, pools: Pools, endpoint: str) -> bytes:
    """Answer simple queries until the client goes; give what it still has to be told."""
    greeting = messages.authentication(0)
    for name, value in (("server_version", "1.24.1/bouncer"), ("client_encoding", "UTF8")):
        greeting += messages.parameter_status(name, value)
    await client.send(greeting + _READY)
    while True:
        kind, body = await client.message(_LONGEST)
        if kind == b"X":
            return b""
        if kind != b"Q":
            return refusal("extended query protocol not supported by admin console")
        asked = body.rstrip(b"\0").decode(errors="replace").strip().rstrip(";").lower().split()
        if asked == ["show", "pools"]:
            rows = [_row(place, seen) for place, seen in await pools.seen(endpoint)]
            await client.send(_table(_COLUMNS, rows) + _READY)
        else:
            await client.send(messages.error("invalid command, use SHOW POOLS", code="08P01") + _READY)


def _row(place: Place, seen: Seen) -> tuple[str, ...]:
    longest = int(seen.longest * 1_000_000)
    counts = (
        seen.clients - seen.waiting, seen.waiting, seen.servers - seen.idle, seen.idle, int(seen.opening),
        *divmod(longest, 1_000_000),
    )  # fmt: skip
    return (place.database, place.user, *map(str, counts), "transaction", str(place.pool.size))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Write a result whose columns are all texts."""
    head = struct.pack("!h", len(columns))
    for name in columns:
        head += name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, _TEXT, -1, -1, 0)
    told = messages.message(b"T", head)
    for row in rows:
        cells = [each.encode() for each in row]
        body = struct.pack("!h", len(cells)) + b"".join(struct.pack("!i", len(c)) + c for c in cells)
        told += messages.message(b"D", body)
    return told + messages.message(b"C", b"SHOW\0")
