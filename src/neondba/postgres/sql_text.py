"""Cut SQL text into statements without understanding it.

The cutting must survive what no grammar accepts: psql commands, COPY data, template placeholders and
statements with errors. Everything that is blanked keeps its length, so offsets and lines stay true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

QUOTED = (
    r"--[^\n]*|/\*|[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|'[^']*(?:''[^']*)*'|\"[^\"]*\"|\$(?:[A-Za-z_]\w*)?\$"
)
TOKEN = re.compile(QUOTED + r"|[();]", re.DOTALL)
TOKEN_OR_COMMA = re.compile(QUOTED + r"|[(),]", re.DOTALL)
PROLOGUE = 100_000
"""Characters in which a file shows which language it is written in."""
COMMENT_EDGE = re.compile(r"/\*|\*/")
PSQL = re.compile(r"^[ \t]*\\(?:[a-zA-Z]|!|\?)[^\n]*$", re.MULTILINE)
COPY = re.compile(r"^[ \t]*COPY\b[^;\n]*\bFROM\s+STDIN\b[^;\n]*;", re.IGNORECASE | re.MULTILINE)
ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)
DOWN = re.compile(
    r"^--\s*(?:\+\w+\s+down\b|migrate:down\b|//@undo\b|[-=#*\s]*(?:down|rollback)(?:\s+(?:migration|script))?(?:[-=#*\s]*$|:[^\n]*$))",
    re.IGNORECASE | re.MULTILINE,
)
TOOL_MARK = re.compile(r"--\s*(?:\+\w+|migrate:|//@)", re.IGNORECASE)
"""Marks that count wherever they stand; a comment at the head of a file only tells how to go back."""
PLACEHOLDER = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\$\{[^{}\n]*\}|%\([A-Za-z_]\w*\)s|(?<![\w%])%s|(?<![:\w]):[A-Za-z_]\w*"
    r"|(?<!:):['\"][A-Za-z_]\w*['\"]|(?<=[\s(,=])\?(?=[\s),;]|$)",
    re.DOTALL,
)


class Dialect(StrEnum):
    """Other languages that also live in `.sql` files."""

    MYSQL = "MySQL"
    SQLITE = "SQLite"
    TSQL = "Transact-SQL"
    ORACLE = "Oracle"
    CLICKHOUSE = "ClickHouse"


FLAGS = re.IGNORECASE | re.MULTILINE
DIALECTS = (
    (
        Dialect.CLICKHOUSE,
        re.compile(r"\bON\s+CLUSTER\b|\bENGINE\s*=?\s*\w*MergeTree\b|\bLowCardinality\(", FLAGS),
    ),
    (
        Dialect.TSQL,
        re.compile(r"^\s*GO\s*$|\[dbo\]|\bNVARCHAR\b|\bIDENTITY\s*\(\s*\d+\s*,|\bsp_rename\b", FLAGS),
    ),
    (Dialect.ORACLE, re.compile(r"\bVARCHAR2\b|\bNUMBER\s*\(\d", FLAGS)),
    (Dialect.SQLITE, re.compile(r"\bAUTOINCREMENT\b|^\s*PRAGMA\b", FLAGS)),
    (Dialect.MYSQL, re.compile(r"`|\bENGINE\s*=|\bAUTO_INCREMENT\b|\bUNSIGNED\b|\bCHARSET\s*=", FLAGS)),
)


@dataclass(frozen=True)
class Piece:
    """One statement's text and where it starts."""

    text: str
    offset: int
    """Characters before it."""
    line: int
    """Line of its first word, from 1."""


def without_client_commands(sql: str) -> str:
    """Blank psql commands and COPY data."""
    if "\\" not in sql:
        return sql
    for copy in reversed(list(COPY.finditer(sql))):
        end = re.compile(r"^\\\.[ \t]*$", re.MULTILINE).search(sql, copy.end())
        if end:
            sql = sql[: copy.end()] + _blank(sql[copy.end() : end.end()]) + sql[end.end() :]
    return PSQL.sub(lambda m: " " * len(m[0]), sql)


def pieces(sql: str, *, nested: bool = True) -> list[Piece]:
    """Cut at semicolons that end statements; empty ones are left out.

    Args:
        sql: The text.
        nested: Whether a semicolon inside parentheses is part of the statement.
    """
    cuts, depth = [0], 0
    atomic = ATOMIC.search(sql) is not None
    for start, _end, word in _tokens(sql):
        if word == "(":
            depth += 1
        elif word == ")":
            depth = max(0, depth - 1)
        elif (
            word == ";"
            and (not depth or not nested)
            and not (atomic and _in_atomic_body(sql[cuts[-1] : start]))
        ):
            cuts.append(start + 1)
            depth = 0
    cuts.append(len(sql))
    found = []
    line, reached = 1, 0
    for begin, end in pairwise(cuts):
        first = begin + _leading(sql[begin:end])
        text = sql[first:end].rstrip().removesuffix(";").rstrip()
        if text:
            line += sql.count("\n", reached, first)
            reached = first
            found.append(Piece(text, first, line))
    return found


def commas(text: str) -> list[int]:
    """Give the offsets of commas outside parentheses, strings and comments."""
    found, depth = [], 0
    for start, _end, word in _tokens(text, TOKEN_OR_COMMA):
        if word in "()":
            depth += 1 if word == "(" else -1
        elif word == "," and not depth:
            found.append(start)
    return found


def code_only(sql: str) -> str:
    """Blank comments and strings; keep everything else in place."""
    parts, reached = [], 0
    for start, end, word in _tokens(sql):
        if word[0] in "-/'eE$" and end - start > 1:
            parts += [sql[reached:start], _blank(sql[start:end])]
            reached = end
    return "".join(parts) + sql[reached:]


def dialect_of(sql: str) -> Dialect | None:
    """Name the language of a file that is not PostgreSQL's, as far as words tell."""
    head = sql[:PROLOGUE]
    if not any(words.search(head) for _, words in DIALECTS):
        return None
    code = code_only(head)
    return next((dialect for dialect, words in DIALECTS if words.search(code)), None)


def without_placeholders(text: str) -> str:
    """Put names of the same length where templates and drivers put values."""

    def stand_in(match: re.Match[str]) -> str:
        if match[0].startswith("{%"):
            return _blank(match[0])
        return "p" + re.sub(r"[^\n]", "_", match[0][1:]) if len(match[0]) > 1 else "p"

    return PLACEHOLDER.sub(stand_in, text)


def line_where_down_starts(sql: str) -> int | None:
    """Give the line after which a migration file holds its way back."""
    for match in DOWN.finditer(sql):
        if TOOL_MARK.match(match[0]) or _leading(sql[: match.start()]) < match.start():
            return sql.count("\n", 0, match.start()) + 1
    return None


def _tokens(sql: str, wanted: re.Pattern[str] = TOKEN) -> Iterator[tuple[int, int, str]]:
    position = 0
    while match := wanted.search(sql, position):
        word, start = match[0], match.start()
        position = match.end()
        if word == "/*":
            position = _end_of_comment(sql, position)
        elif word[0] == "$":
            end = sql.find(word, position)
            if end < 0:
                continue
            position = end + len(word)
        yield start, position, word


def _end_of_comment(sql: str, position: int) -> int:
    depth = 1
    while depth:
        edge = COMMENT_EDGE.search(sql, position)
        if edge is None:
            return len(sql)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def _leading(text: str) -> int:
    """Count the characters of spaces and comments before the first word."""
    position = 0
    while True:
        rest = len(text) - len(text[position:].lstrip())
        if text.startswith("--", rest):
            end = text.find("\n", rest)
            position = len(text) if end < 0 else end + 1
        elif text.startswith("/*", rest):
            position = _end_of_comment(text, rest + 2)
        else:
            return rest


def _in_atomic_body(text: str) -> bool:
    if not ATOMIC.search(text):
        return False
    return not re.search(r"\bEND\s*$", text, re.IGNORECASE)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
