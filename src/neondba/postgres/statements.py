"""Read SQL text with PostgreSQL's own grammar; the only place that imports the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from neondba.postgres import statement_reader
from neondba.postgres.sql_text import (
    Dialect,
    Piece,
    dialect_of,
    pieces,
    without_client_commands,
    without_placeholders,
)
from neondba.postgres.statement import Statement

BODY = re.compile(r"\$(?P<tag>\w*)\$(?P<body>.*)\$(?P=tag)\$", re.DOTALL)
STARTS = re.compile(
    r"(?:\A|;|\bBEGIN\b|\bTHEN\b|\bELSE\b|\bLOOP\b)(?:\s|--[^\n]*\n)*"
    r"(?=(?:ALTER|CREATE|DROP|UPDATE|DELETE|TRUNCATE|EXECUTE)\b)",
    re.IGNORECASE,
)
EXECUTED = re.compile(r"EXECUTE\s+'(?P<text>(?:[^']|'')*)'\s*;?\s*\Z", re.IGNORECASE)

__all__ = ["Dialect", "Statement", "dialect_of", "expression_text", "parse"]


def parse(sql: str, first_line: int = 1) -> list[Statement]:
    """Cut a text into statements and say what each does; errors stay with their statement.

    Args:
        sql: The text.
        first_line: Line on which the text starts in its file.
    """
    found: list[Statement] = []
    for cut in pieces(without_client_commands(sql)):
        piece = Piece(cut.text, cut.offset, cut.line + first_line - 1)
        statement = _read(piece)
        if statement.error and ";" in piece.text.rstrip(";"):
            parts = [_read(_moved(part, piece)) for part in pieces(piece.text, nested=False)]
            if any(not part.error for part in parts):
                found += parts
                continue
        found.append(statement)
    return found


def expression_text(node: Any) -> str:
    """Write an expression of the syntax tree as SQL."""
    import postgast
    from postgast import pg_query_pb2

    result = pg_query_pb2.ParseResult()
    result.stmts.add().stmt.select_stmt.target_list.add().res_target.val.CopyFrom(node)
    result.stmts[0].stmt.select_stmt.limit_option = pg_query_pb2.LIMIT_OPTION_DEFAULT
    result.stmts[0].stmt.select_stmt.op = pg_query_pb2.SETOP_NONE
    text: str = postgast.deparse(result)
    return text.removeprefix("SELECT ")


def _moved(part: Piece, whole: Piece) -> Piece:
    return Piece(part.text, whole.offset + part.offset, whole.line + part.line - 1)


@lru_cache(maxsize=4096)
def _read(piece: Piece) -> Statement:
    kind = _kind(piece.text)
    end_line = piece.line + piece.text.count("\n")
    if kind == "INSERT":
        # A dump holds a hundred thousand of them, and nobody asks what is in one.
        return Statement(kind, piece.line, end_line, piece.text)
    try:
        tree, text = _tree(piece.text)
    except SyntaxError as wrong:
        line = None if wrong.lineno is None else piece.line + wrong.lineno
        return Statement(kind, piece.line, end_line, piece.text, error=wrong.msg, error_line=line)
    if tree is None:
        return Statement(kind, piece.line, end_line, piece.text)
    reader = statement_reader.Reader(text, piece.line, expression_text)
    action, changes = reader.action(tree), reader.nested(tree)
    nested = tuple(Statement(a.kind.upper(), piece.line, end_line, piece.text, a) for a in changes)
    if kind == "DO":
        nested = tuple(_block(piece))
    return Statement(kind, piece.line, end_line, piece.text, action, nested=nested)


def _block(piece: Piece) -> Iterator[Statement]:
    """Read the statements of a DO block: those that PostgreSQL's grammar knows, in order."""
    body = BODY.search(piece.text)
    if body is None:
        return
    text, offset = body["body"], body.start("body")
    for start in STARTS.finditer(text):
        cut = next(iter(pieces(text[start.end() :], nested=False)), None)
        if cut is None:
            continue
        words, before = cut.text, offset + start.end() + cut.offset
        line = piece.line + piece.text.count("\n", 0, before)
        if dynamic := EXECUTED.match(words):
            words = dynamic["text"].replace("''", "'")
        found = _read(Piece(words, before, line))
        if not found.error:
            yield found


def _tree(text: str) -> tuple[Any | None, str]:
    import postgast

    refused = None
    for attempt in (text, without_placeholders(text)):
        if refused is not None and attempt == text:
            break
        try:
            statements = postgast.parse(attempt).stmts
        except postgast.PgQueryError as wrong:
            refused = refused or wrong
        except (ValueError, RecursionError) as wrong:
            raise SyntaxError(f"the parser gave up: {wrong}") from wrong
        else:
            return (statements[0].stmt if statements else None), attempt
    assert refused is not None
    before = text.encode()[: max(refused.cursorpos - 1, 0)]
    raise SyntaxError(refused.message, (None, before.count(b"\n"), None, None))


def _kind(text: str) -> str:
    words = re.findall(r"[A-Za-z_]+", text[:200])[:4]
    words = [word.upper() for word in words]
    if words[:1] in (["CREATE"], ["ALTER"], ["DROP"]):
        while words[1:2] and words[1] in {"OR", "REPLACE", "UNIQUE", "TEMP", "TEMPORARY", "UNLOGGED"}:
            del words[1]
        return " ".join(words[:2])
    return words[0] if words else ""
