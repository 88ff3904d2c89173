"""Parse Python of any age: newer than the running one, older, or broken.

What newer versions allow is rewritten, character for character where that is possible, into what this
version reads: rules then see the same names on the same lines. What stays unreadable is left out,
statement by statement, and named.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from itertools import pairwise

from neondba.project.python_lexer import Piece, blanked, pieces


@dataclass
class Parsed:
    """A syntax tree, and what did not make it into it."""

    tree: ast.Module | None
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason."""


def parse(text: str) -> Parsed:
    """Parse a file's text; never raises."""
    tree, fault = _tried(text)
    if fault is None:
        return Parsed(tree)
    rewritten = _rewritten(text)
    tree, newer_fault = _tried(rewritten)
    if newer_fault is None:
        return Parsed(tree)
    if _looks_old(rewritten, newer_fault[1]):
        return Parsed(None, [(newer_fault[0], "written for Python 2 or an early Python 3")])
    return _piecewise(rewritten, newer_fault)


def _tried(text: str) -> tuple[ast.Module | None, tuple[int, str] | None]:
    try:
        return ast.parse(text), None
    except (RecursionError, MemoryError):
        return None, (1, "nested too deeply")
    except (SyntaxError, ValueError) as error:
        return None, (getattr(error, "lineno", 1) or 1, str(getattr(error, "msg", error)))


_PYTHON_2 = re.compile(
    r"^[ \t]*(?:print[ \t]+[\"'\w%(]|exec[ \t]+[\"'\w]|raise[ \t]+\w[\w.]*[ \t]*,)"
    r"|`|<>|\b0[0-7]+\b|\b\d+[lL]\b",
    re.MULTILINE,
)


def _looks_old(text: str, reason: str) -> bool:
    if "Missing parentheses in call to" in reason or "leading zeros" in reason:
        return True
    return _PYTHON_2.search(blanked(text)) is not None


_GENERIC = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_TYPE = re.compile(r"^[ \t]*(?P<word>type)[ \t]+(?P<name>\w+)[ \t]*(?P<rest>\[|=(?!=))", re.MULTILINE)
_EXCEPT = re.compile(r"^[ \t]*except\*?[ \t]+(?P<kinds>[^\n:(]*,[^\n:]*?)[ \t]*:", re.MULTILINE)
_LAZY = re.compile(r"^[ \t]*(?P<word>lazy[ \t]+)(?:import|from)\b", re.MULTILINE)


def _rewritten(text: str) -> str:
    """Rewrite newer syntax into syntax of Python 3.11; lines stay where they are."""
    text = _plain_fstrings(text.replace("\r\n", "\n").replace("\r", "\n"))
    hollow = blanked(text)
    edits = [_without_bracket(hollow, match.end()) for match in _GENERIC.finditer(hollow)]
    for match in _TYPE.finditer(hollow):
        edits.append((match.start("word"), match.start("name"), ""))
        if match["rest"] == "[":
            edits.append(_without_bracket(hollow, match.start("rest")))
    for match in _EXCEPT.finditer(hollow):
        start, end = match.span("kinds")
        edits.append((start, end, f"({text[start:end]})"))
    edits += [(*match.span("word"), "") for match in _LAZY.finditer(hollow)]
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _without_bracket(hollow: str, start: int) -> tuple[int, int, str]:
    """Say how to drop a type parameter list; its line ends stay, escaped."""
    depth = 0
    for piece in pieces(hollow, start):
        depth += (piece.kind == "open") - (piece.kind == "close")
        if piece.kind in ("open", "close") and depth == 0:
            return start, piece.end, " " + "\\\n" * hollow.count("\n", start, piece.end)
    return start, start, ""


def _plain_fstrings(text: str) -> str:
    """Rewrite template strings and newer f-strings as older f-strings."""
    parts, place = [], 0
    for piece in pieces(text):
        if piece.kind == "string" and ("f" in piece.prefix or "t" in piece.prefix):
            parts += [text[place : piece.start], _plain_fstring(text, piece)]
            place = piece.end
    return "".join([*parts, text[place:]])


def _plain_fstring(text: str, piece: Piece) -> str:
    whole = text[piece.start : piece.end]
    prefix = piece.prefix.replace("t", "f")
    fields = [text[a:b] for a, b in piece.fields]
    if not any(piece.quote[0] in f or "\\" in f or "\n" in f or "#" in f for f in fields):
        return prefix + whole[len(piece.prefix) :]
    size = len(piece.quote)
    outer = next((q for q in ('"""', "'''") if q not in whole), piece.quote * (3 // size))
    parts, place = [], piece.start + len(piece.prefix) + size
    for a, b in piece.fields:
        parts += [text[place:a], _plain_field(text[a:b], outer[0])]
        place = b
    tail = text[place : piece.end - size]
    if tail.endswith(outer[0]):
        tail = tail[:-1] + "\\" + tail[-1]
    return prefix + outer + "".join([*parts, tail]) + outer


def _plain_field(expression: str, outer: str) -> str:
    """Make a replacement field readable: inner strings in the other quote, or empty."""
    other = "'" if outer == '"' else '"'
    parts, place = [], 0
    for piece in pieces(expression):
        if piece.kind == "comment":
            parts.append(expression[place : piece.start])
        elif piece.kind == "string":
            size = len(piece.prefix) + len(piece.quote)
            inner = expression[piece.start + size : piece.end - len(piece.quote)]
            plain = not any(c in inner for c in ("\\", "\n", "'", '"')) and not piece.fields
            newlines = "\n" * inner.count("\n")
            parts += [expression[place : piece.start], other, inner if plain else "", other, newlines]
        else:
            continue
        place = piece.end
    rest = "".join([*parts, expression[place:]])
    return rest.replace("\\\n", "\n")


def _piecewise(text: str, fault: tuple[int, str]) -> Parsed:
    """Parse statement by statement and leave out what cannot be read."""
    lines = text.split("\n")
    starts = [*_statement_lines(text), len(lines)]
    tree = ast.Module([], [])
    faults: list[tuple[int, str]] = []
    for first, last in pairwise(starts):
        part, wrong = _tried("\n".join(lines[first:last]))
        if part is not None:
            for statement in part.body:
                ast.increment_lineno(statement, first)
            tree.body += part.body
        elif wrong is not None:
            faults.append((first + wrong[0], wrong[1]))
    if not tree.body or len(faults) > len(starts) / 2:
        return Parsed(None, [fault])
    return Parsed(tree, faults or [fault])


_BEGINS = re.compile(r"(?:async\s+def|def|class|import|from|@\w)\b")
"""What begins a statement even where a bracket was left open."""
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")


def _statement_lines(text: str) -> list[int]:
    """Give the line indexes at which a top-level statement begins."""
    hollow = blanked(text)
    depths = _depths(hollow)
    starts: list[int] = []
    decorated = False
    for number, line in enumerate(hollow.split("\n")):
        if not line.strip() or line[0] in " \t" or _GOES_ON.match(line):
            continue
        if depths[number] > 0 and not _BEGINS.match(line):
            continue
        if not decorated:
            starts.append(number)
        decorated = line.startswith("@")
    return starts


def _depths(hollow: str) -> list[int]:
    """Give the number of open brackets at the start of each line."""
    depths, depth = [0], 0
    for piece in pieces(hollow):
        if piece.kind == "newline":
            depths.append(depth)
        elif piece.kind in ("open", "close"):
            depth = max(0, depth + (1 if piece.kind == "open" else -1))
    return depths
