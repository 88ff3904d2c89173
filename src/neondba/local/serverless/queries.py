"""A request's statements: read from its body, run, and written as the driver expects them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from neondba.local.serverless.destination import Refused
from neondba.local.serverless.text import converted, parameter
from neondba.postgres.wire_query import Answer, Column, ServerError, TooLarge, WireConnection

LARGEST: Final = 64 << 20
"""Bytes of a request, and of a response."""
LEVELS: Final = {
    "ReadUncommitted": "read uncommitted",
    "ReadCommitted": "read committed",
    "RepeatableRead": "repeatable read",
    "Serializable": "serializable",
}
LEVEL, READ_ONLY, DEFERRABLE = (
    "neon-batch-isolation-level",
    "neon-batch-read-only",
    "neon-batch-deferrable",
)


@dataclass(frozen=True)
class Query:
    """One statement of a request."""

    statement: str
    values: list[str | None]
    as_arrays: bool


@dataclass(frozen=True)
class Payload:
    """What a request asks for."""

    queries: list[Query]
    begin: str | None
    """How the transaction of a batch begins; None for a single statement."""
    raw: bool
    """Values are answered as PostgreSQL's texts."""
    echoed: dict[str, str]
    """Headers that the answer repeats."""


def read(body: bytes, headers: Mapping[str, str]) -> Payload:
    """Read a request.

    Raises:
        Refused: it is not of the form that the driver sends.
    """
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Refused(f"could not parse the HTTP request body: {error}") from None
    as_arrays = headers.get("neon-array-mode") == "true"
    raw = headers.get("neon-raw-text-output") == "true"
    batch = given.get("queries") if isinstance(given, dict) and "query" not in given else None
    if batch is None:
        return Payload([_query(given, as_arrays)], None, raw, {})
    if not isinstance(batch, list):
        raise Refused("could not parse the HTTP request body: queries must be a list")
    begin, echoed = _transaction(headers)
    return Payload([_query(each, as_arrays) for each in batch], begin, raw, echoed)


def _query(given: Any, as_arrays: bool) -> Query:
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        raise Refused("could not parse the HTTP request body: it must hold a query, or a list of queries")
    values, own = given.get("params", []), given.get("arrayMode")
    if not isinstance(values, list) or not isinstance(own, bool | None):
        raise Refused("could not parse the HTTP request body: params must be a list, arrayMode true or false")
    return Query(given["query"], [parameter(value) for value in values], as_arrays if own is None else own)


def _transaction(headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    words, echoed = ["start transaction"], {}
    if (level := headers.get(LEVEL)) is not None:
        if level not in LEVELS:
            raise Refused("invalid isolation level")
        words.append(f"isolation level {LEVELS[level]}")
        echoed[LEVEL] = level
    if headers.get(READ_ONLY) == "true":
        words.append("read only")
        echoed[READ_ONLY] = "true"
    if headers.get(DEFERRABLE) == "true":
        words.append("deferrable")
        echoed[DEFERRABLE] = "true"
    return f"{words[0]} {', '.join(words[1:])}", echoed


def run(connection: WireConnection, payload: Payload) -> bytes:
    """Run a request's statements, a batch in one transaction; give the answer's body.

    Raises:
        ServerError: the server refused one; nothing of a batch is kept then.
        Refused: the answer is too large.
        Disconnected: the connection broke.
    """
    left = LARGEST
    written: list[str] = []
    try:
        if payload.begin is not None:
            connection.run(payload.begin, [], LARGEST)
        for query in payload.queries:
            answer = connection.run(query.statement, query.values, left)
            left -= answer.size
            written.append(_written(answer, raw=payload.raw, as_arrays=query.as_arrays))
        if payload.begin is not None:
            connection.run("commit", [], LARGEST)
    except TooLarge:
        _undo(connection, payload)
        raise Refused(f"response is too large (max is {LARGEST} bytes)", status=507) from None
    except ServerError:
        _undo(connection, payload)
        raise
    return (written[0] if payload.begin is None else f'{{"results":[{",".join(written)}]}}').encode()


def _undo(connection: WireConnection, payload: Payload) -> None:
    if payload.begin is not None:
        connection.abandon()


def _written(answer: Answer, *, raw: bool, as_arrays: bool) -> str:
    command, count = _command(answer.tag)
    rest = {
        "fields": [_field(column) for column in answer.columns],
        "command": command,
        "rowCount": count,
        "rowAsArray": as_arrays,
    }
    return f'{{"rows":{_rows(answer, raw=raw, as_arrays=as_arrays)},{_json(rest)[1:]}'


def _rows(answer: Answer, *, raw: bool, as_arrays: bool) -> str:
    names = [column.name for column in answer.columns]
    if raw:
        return _json(
            answer.rows if as_arrays else [dict(zip(names, row, strict=True)) for row in answer.rows]
        )
    types = [column.type_id for column in answer.columns]
    keys = ["" if as_arrays else f"{_json(name)}:" for name in names]
    opened, closed = "[]" if as_arrays else "{}"
    lines = (
        ",".join(key + converted(value, kind) for key, value, kind in zip(keys, row, types, strict=True))
        for row in answer.rows
    )
    return f"[{','.join(opened + line + closed for line in lines)}]"


def _field(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "dataTypeID": column.type_id,
        "tableID": column.table_id,
        "columnID": column.number,
        "dataTypeSize": column.size,
        "dataTypeModifier": column.modifier,
        "format": "text",
    }


def _command(tag: str) -> tuple[str, int | None]:
    """Split a command tag: `INSERT 0 1` inserted one row."""
    words = tag.split(" ")
    place = 2 if words[0] == "INSERT" else 1
    count = words[place] if len(words) > place else ""
    return words[0], int(count) if count.isdigit() else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
