"""Find the known errors in a text as people paste it: wrapped, framed, a whole traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from neondba.connections.errors import catalogue
from neondba.connections.errors.entry import Entry

_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FRAME: Final = re.compile(r"\s*(?:\|\s*)?File \"[^\"]+\", line \d+")
_MARKS: Final = re.compile(r"\s*(?:\|\s*)?[\^~]+\s*$")
_EDGE: Final = re.compile(r"^(?:E {2,}|\s*[│|>┃]\s?)+")
_PACKAGE: Final = re.compile(r"(?:site|dist)-packages[/\\]([\w./\\]+\.pyx?)")
_ASIDE: Final = re.compile(
    r"^\s*(?:LINE \d+: |query: |\[parameters: |\(Background on this error at: |params: |\d+ \| )"
)
_OTHERS: Final = re.compile(
    r":(?:6379|3306|27017|9200|5672|9092|11211|1433)\b|\b(?:redis|mongo(?:db)?|mysql|kafka|amqp|smtp|memcached)\b",
    re.IGNORECASE,
)
"""Services beside PostgreSQL, which fail in the same words."""
_SQL: Final = re.compile(r"\[SQL: |Failed query: ")
LONGEST: Final = 100_000
"""Characters that are read of a text: its beginning and its end."""


@dataclass(frozen=True)
class Hit:
    """An error that was found, and where in the text."""

    entry: Entry
    start: int
    end: int
    line: int
    """Line of the pasted text, from 1."""
    name: str
    """The user's own name in it: a role, a table, a parameter."""


@dataclass(frozen=True)
class _Flow:
    """A text without its line ends, and the line of each character."""

    text: str
    lines: list[int]


def hits(text: str) -> list[Hit]:
    """Give the errors in a text by place; of those that rule each other out, the one that says more."""
    kept = _lines(text)
    found = _in_flow(_joined(kept, " ")) or _in_flow(_joined(kept, ""), wrapped=True)
    ruled_out = {other for hit in found for other in hit.entry.over}
    found = [hit for hit in found if hit.entry.id not in ruled_out]
    for rank in (0, 1, 2):
        best = [hit for hit in found if _rank(hit.entry) == rank]
        if best:
            return sorted(best, key=lambda hit: hit.start)
    return []


def line_of(text: str, number: int) -> str:
    """Give a line of the pasted text, without colours and edges."""
    lines = _COLOUR.sub("", text).splitlines()
    return _EDGE.sub("", lines[number - 1]).strip() if 0 < number <= len(lines) else ""


def _rank(entry: Entry) -> int:
    return 2 if entry.general else 1 if entry.follows else 0


def _lines(text: str) -> list[tuple[int, str]]:
    """Give the lines that may hold a message: no source code of frames, no SQL, no marks."""
    if len(text) > LONGEST:
        half = LONGEST // 2
        text = text[:half] + "\n" + text[-half:]
    kept: list[tuple[int, str]] = []
    after_frame = False
    for number, raw in enumerate(_COLOUR.sub("", text).splitlines(), start=1):
        is_code = after_frame and raw[:4].isspace()
        after_frame = bool(_FRAME.match(raw))
        line = _EDGE.sub("", raw)
        aside = _MARKS.match(raw) or _ASIDE.match(line) or _OTHERS.search(line)
        skipped = is_code or after_frame or aside
        library = _PACKAGE.search(raw) if after_frame else None
        if library:
            kept.append((number, f"(in {library[1]})"))
        elif not skipped:
            kept.append((number, _before_sql(line)))
    return kept


def _before_sql(line: str) -> str:
    """Cut off a quoted statement after the words that say that it is one."""
    found = _SQL.search(line)
    return line[: found.end()] if found else line


def _joined(lines: list[tuple[int, str]], between: str) -> _Flow:
    parts: list[str] = []
    numbers: list[int] = []
    for number, line in lines:
        words = re.sub(r"\s+", " ", line).strip() + between
        parts.append(words)
        numbers += [number] * len(words)
    return _Flow("".join(parts), numbers)


def _in_flow(flow: _Flow, *, wrapped: bool = False) -> list[Hit]:
    return [hit for entry in catalogue.entries() for hit in _first(entry, flow, wrapped)]


def _first(entry: Entry, flow: _Flow, wrapped: bool) -> Iterator[Hit]:
    """Give the first place where an error is found."""
    signs = catalogue.signs(entry, wrapped)
    places = [found for sign in signs if (found := sign.search(flow.text))]
    if places:
        best = min(places, key=lambda found: found.start())
        named = [found["name"] for found in places if "name" in found.re.groupindex and found["name"]]
        yield Hit(entry, best.start(), best.end(), flow.lines[best.start()], named[0] if named else "")
