"""Read a request: who asks, and a body that is neither too large nor too slow."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from neondba.local.api.call import Refusal
from neondba.local.api.neighbors import is_foreign

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
LARGEST_BODY: Final = 1 << 20
SLOWEST_BODY: Final = 30.0
"""Seconds for a whole body; programs on this machine need none of them."""
DEEPEST: Final = 64
WRONG_TOKEN: Final = "supplied credentials do not pass authentication"  # noqa: S105 - Neon's sentence
FOREIGN: Final = (
    "the local Neon answers only to the user who started it, and to root: start one of your own with "
    "neondba local start --state-dir"
)
NO_TOKEN: Final = WRONG_TOKEN + ": any bearer token is accepted"


def token(request: Request) -> str:
    """Let in local programs, not web pages: those cannot send this header unasked.

    Raises:
        Refusal: another host's name was asked for, there is no token, or another user asks.
    """
    client, server = request.scope.get("client"), request.scope.get("server")
    if client and server and is_foreign(tuple(client), tuple(server)):
        raise Refusal(403, FOREIGN)
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in LOOPBACK:
        raise Refusal(403, f"the local Neon answers only to this machine's own names, not to {name}")
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refusal(401, NO_TOKEN)
    return key.strip()


async def received(request: Request) -> bytes:
    """Read the body to its end, or until it is too much; what is announced as too large is not read.

    Raises:
        Refusal: it is too large or too slow.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > LARGEST_BODY:
        raise Refusal(413, _too_large())
    parts, size = [], 0
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            async for part in request.stream():
                size += len(part)
                if size > LARGEST_BODY:
                    raise Refusal(413, _too_large())
                parts.append(part)
    except TimeoutError:
        raise Refusal(408, f"the request body did not arrive within {SLOWEST_BODY:.0f} seconds") from None
    except ClientDisconnect:
        raise Refusal(400, "the client left before its request was whole") from None
    return b"".join(parts)


def parsed(request: Request, raw: bytes) -> dict[str, Any] | None:
    """Give the body as an object; None if there is none.

    Raises:
        Refusal: it is no JSON object.
    """
    if not raw.strip():
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Refusal(415, f"the content type must be application/json, not {kind[:60]}")
    try:
        read = json.loads(raw, parse_constant=_no_number)
        json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, "the request body is not valid JSON") from None
    if not isinstance(read, dict):
        raise Refusal(400, "the request body must be an object")
    if _depth(read) > DEEPEST:
        raise Refusal(400, f"the request body is nested deeper than {DEEPEST}")
    return read


def _too_large() -> str:
    return f"the request body is too large: at most {LARGEST_BODY >> 20} MB are read"


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        ]
    return deepest
