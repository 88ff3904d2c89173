"""Find the strings, comments and brackets of Python text.

Python's own tokenizer of an older version stumbles over f-strings of a newer one; this one knows both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_NEXT = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<string>(?<![\w])(?P<prefix>[rRbBuUfFtT]{1,2})?(?P<quote>'''|\"\"\"|'|\"))"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<newline>\n)"
)
_IN_STRING = re.compile(r"\\(?s:.)|'''|\"\"\"|['\"\n{}]")

Kind = Literal["comment", "string", "open", "close", "newline"]


@dataclass(frozen=True)
class Piece:
    """A string, comment, bracket or line end, with its place in the text."""

    kind: Kind
    start: int
    end: int
    prefix: str = ""
    quote: str = ""
    fields: tuple[tuple[int, int], ...] = ()
    """Start and end of the expressions in an f-string, without the braces."""


def pieces(text: str, start: int = 0, end: int | None = None) -> list[Piece]:
    """Give the pieces of a text in order; an unclosed string runs to the end."""
    found: list[Piece] = []
    place, end = start, len(text) if end is None else end
    while place < end:
        match = _NEXT.search(text, place, end)
        if match is None:
            break
        if match["quote"]:
            piece = _string(text, match, end)
        else:
            piece = Piece(match.lastgroup, match.start(), match.end())  # type: ignore[arg-type]
        found.append(piece)
        place = piece.end
    return found


def _string(text: str, match: re.Match[str], end: int) -> Piece:
    prefix, quote = (match["prefix"] or "").lower(), match["quote"]
    is_formatted = "f" in prefix or "t" in prefix
    fields: list[tuple[int, int]] = []
    place = match.end()
    while place < end:
        stop = _IN_STRING.search(text, place, end)
        if stop is None:
            return Piece("string", match.start(), end, prefix, quote, tuple(fields))
        place = stop.end()
        mark = stop.group()
        if mark == quote or (mark.startswith(quote) and len(quote) == 1):
            return Piece("string", match.start(), stop.start() + len(quote), prefix, quote, tuple(fields))
        if mark == "\n" and len(quote) == 1:
            return Piece("string", match.start(), stop.start(), prefix, quote, tuple(fields))
        if mark in ("'''", '"""') and len(quote) == 3:
            place = stop.start() + 1
        if mark == "{" and is_formatted:
            if text.startswith("{", place):
                place += 1
                continue
            closed = _field_end(text, place, end)
            fields.append((place, closed))
            place = closed + 1
    return Piece("string", match.start(), end, prefix, quote, tuple(fields))


def _field_end(text: str, start: int, end: int) -> int:
    """Find the brace that closes a replacement field."""
    depth, place = 0, start
    while place < end:
        match = _NEXT.search(text, place, end)
        if match is None:
            return end
        if match["quote"]:
            place = _string(text, match, end).end
            continue
        if match["open"]:
            depth += 1
        elif match["close"]:
            if depth == 0:
                return match.start()
            depth -= 1
        place = match.end()
    return end


def blanked(text: str) -> str:
    """Replace what is in strings and comments by blanks; keep places and lines."""
    parts, place = [], 0
    for piece in pieces(text):
        if piece.kind in ("string", "comment"):
            parts += [text[place : piece.start], _hollow(text[piece.start : piece.end], piece)]
            place = piece.end
    return "".join([*parts, text[place:]])


def _hollow(text: str, piece: Piece) -> str:
    """Keep the shape of a string: quoted on one line, in brackets over several."""
    inner = re.sub(r"[^\n]", " ", text)
    if piece.kind == "comment" or len(text) < 2:
        return inner
    return f"({inner[1:-1]})" if "\n" in inner[1:-1] else f'"{inner[1:-1]}"'
