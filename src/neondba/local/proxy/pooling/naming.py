"""Parse, Bind, Describe and Close of named statements, rewritten for the server connection at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from neondba.local.proxy.pooling import awaited as waits
from neondba.local.proxy.pooling.awaited import Awaited
from neondba.local.proxy.pooling.client import Later, PoolClient, Taken, Unwelcome
from neondba.local.proxy.pooling.statements import (
    CLOSE_COMPLETE,
    PARSE_COMPLETE,
    Named,
    named,
    renamed,
)

if TYPE_CHECKING:
    from neondba.local.proxy.pooling.server import PoolServer

_PLAIN: Final = {ord("P"): waits.PARSE, ord("B"): waits.BIND, ord("D"): waits.DESCRIBE, ord("C"): waits.CLOSE}
_LONGEST_HEAD: Final = 1 << 17


def rewritten(
    client: PoolClient, server: PoolServer, kind: int, message: memoryview, length: int
) -> Taken | None:
    """Give what the server gets in place of a message's beginning; None passes it as it is.

    Raises:
        Later: its beginning is not complete.
        Unwelcome: the statement is not known, or the name is taken.
        ValueError: it is malformed.
    """
    found = named(kind, bytes(message[:_LONGEST_HEAD]), min(length, _LONGEST_HEAD))
    if found is None:
        raise Later
    if not found.name:
        server.expect(_PLAIN[kind])
        return None
    if kind == ord("P"):
        return _parse(client, server, found, message, length)
    if kind == ord("C"):
        client.statements.pop(found.name, None)
        server.owe(CLOSE_COMPLETE)
        return b"", length
    statement = client.statements.get(found.name)
    if statement is None:
        raise Unwelcome("prepared statement did not exist")
    head = server.prepared(statement, Awaited(b"1", shown=False, statement=statement))
    server.expect(_PLAIN[kind])
    return head + renamed(found, statement.name, length), found.rest


def _parse(client: PoolClient, server: PoolServer, found: Named, message: memoryview, length: int) -> Taken:
    if length > server.limits.longest_parse:
        raise Unwelcome("prepared statement is too long")
    if len(message) < length:
        raise Later
    if found.name in client.statements:
        raise Unwelcome("prepared statement name is already in use")
    statement = server.texts.of(bytes(message[found.rest :]))
    client.statements[found.name] = statement
    if statement in server.statements:
        server.owe(PARSE_COMPLETE)
        return b"", length
    wanted = Awaited(b"1", statement=statement, name=found.name)
    return server.prepared(statement, wanted), length
