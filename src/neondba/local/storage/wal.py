"""Read write-ahead log: where records begin and end, and when transactions ended.

PostgreSQL 15 to 18, 4 MB segments, 8 kB pages, timeline 1: no directory of ours is ever promoted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

SEGMENT: Final = 4 << 20
PAGE: Final = 8192
PER_ID: Final = (1 << 32) // SEGMENT
MAGICS: Final = (0xD110, 0xD113, 0xD116, 0xD118)
SHORT: Final = 24
LONG: Final = 40
CONTINUES: Final = 1
OVERWRITES: Final = 8
HEADER: Final = struct.Struct("<IIQBBxxI")
PAGE_HEADER: Final = struct.Struct("<HHIQI")
XLOG: Final = 0
XACT: Final = 1
SWITCH: Final = 0x40
ENDINGS: Final = (0x00, 0x20, 0x30, 0x40)
"""Commit, abort, and both of a prepared transaction."""
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)

Read = Callable[[int], bytes | None]
"""Gives a segment's content by its number, or None where there is none."""


class Record(NamedTuple):
    """One record of the log; a tuple, because there are tens of thousands in a segment."""

    start: int
    end: int
    kind: int
    """The resource manager's number."""
    info: int
    ended: datetime | None = None
    """When a transaction ended, if this record says so."""

    @property
    def switches(self) -> bool:
        """Tell whether the rest of the segment is unused."""
        return self.kind == XLOG and self.info & 0xF0 == SWITCH


def number(lsn: str) -> int:
    """Read a position such as `0/1A2B3C8`.

    Raises:
        ValueError: it is none.
    """
    high, slash, low = lsn.partition("/")
    if not slash or not 1 <= len(high) <= 8 or not 1 <= len(low) <= 8 or not (high + low).isalnum():
        raise ValueError(lsn)
    return int(high, 16) << 32 | int(low, 16)


def text(lsn: int) -> str:
    """Write a position as PostgreSQL does."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def segment_name(segment: int) -> str:
    """Give the name of a segment's file."""
    return f"00000001{segment // PER_ID:08X}{segment % PER_ID:08X}"


def segment_number(name: str) -> int | None:
    """Give the number of a segment by its file's name; None for another file."""
    if len(name) != 24 or not name.startswith("00000001"):
        return None
    return int(name[8:16], 16) * PER_ID + int(name[16:], 16)


class _Log:
    """The pages of a log, the last segment kept."""

    def __init__(self, read: Read, limit: int) -> None:
        self._read = read
        self._limit = limit
        self._number = -1
        self._content: bytes | None = None

    def content(self, position: int) -> bytes | None:
        """Give the content of the segment that holds a position."""
        wanted = position // SEGMENT
        if wanted != self._number:
            self._number, self._content = wanted, self._read(wanted)
        return self._content

    def page(self, position: int) -> tuple[int, int] | None:
        """Give the flags and the left-over length of the page that begins here; None at the end."""
        content = self.content(position)
        offset = position % SEGMENT
        if position >= self._limit or content is None or len(content) < offset + PAGE:
            return None
        magic, flags, _, address, left = PAGE_HEADER.unpack_from(content, offset)
        return (flags, left) if magic in MAGICS and address == position else None

    def gather(self, start: int, length: int) -> tuple[bytes, int, int]:
        """Give bytes of a record, where they end, and 0; or where an overwriting page begins."""
        parts, position = [], start
        while True:
            content = self.content(position)
            take = min(length, PAGE - position % PAGE)
            if content is None:
                return b"", start, 0
            parts.append(content[position % SEGMENT : position % SEGMENT + take])
            position, length = position + take, length - take
            if not length:
                return b"".join(parts), position, 0
            page = self.page(position)
            if page is None:
                return b"", start, 0
            if not page[0] & CONTINUES:
                return b"", start, position if page[0] & OVERWRITES else 0
            position += _header(position)


def records(read: Read, first: int, limit: int = 1 << 63) -> Iterator[Record]:
    """Walk the log from the beginning of segment `first` to its valid end, or to `limit`."""
    log = _Log(read, limit)
    position, previous = _first(log, first * SEGMENT), -1
    while 0 <= position < limit:
        found = _plain(log, position, previous) or _record(log, position, previous)
        if found is None:
            return
        if isinstance(found, int):
            position, previous = found + _header(found), -1
            continue
        if found.end > limit:
            return
        yield found
        following = (found.end + 7) & ~7
        if following % PAGE == 0 or (found.kind == XLOG and found.switches):
            following = _next(log, found)
        previous, position = position, following


def _plain(log: _Log, position: int, previous: int) -> Record | None:
    """Read the usual record quickly: whole on its page, and no transaction's end."""
    content, offset = log.content(position), position % SEGMENT
    if content is None or PAGE - offset % PAGE < HEADER.size:
        return None
    length, _, before, info, kind, _ = HEADER.unpack_from(content, offset)
    if kind == XACT or length < HEADER.size or length > PAGE - offset % PAGE or before != previous:
        return None
    return Record(position, position + length, kind, info)


def _record(log: _Log, position: int, previous: int) -> Record | int | None:
    """Read a record; give the page instead that overwrites one whose end was lost in a crash."""
    content = log.content(position)
    if content is None:
        return None
    offset = position % SEGMENT
    room = PAGE - offset % PAGE
    if room >= HEADER.size:
        raw = content[offset : offset + HEADER.size]
    else:
        raw, _, again = log.gather(position, HEADER.size)
        if again:
            return again
    if len(raw) < HEADER.size:
        return None
    length, _, before, info, kind, _ = HEADER.unpack(raw)
    if length < HEADER.size or (previous >= 0 and before != previous):
        return None
    if length <= room:
        body, end = content[offset : offset + length] if kind == XACT else b"", position + length
    else:
        body, end, again = log.gather(position, length)
        if not body:
            return again or None
    return Record(position, end, kind, info, _ended(body) if kind == XACT else None)


def _header(position: int) -> int:
    return LONG if position % SEGMENT == 0 else SHORT


def _first(log: _Log, position: int) -> int:
    """Give the first record that begins in a segment, past what continues into it."""
    page = log.page(position)
    if page is None:
        return -1
    flags, left = page
    start = position + _header(position)
    if not flags & CONTINUES:
        return start
    while left > PAGE - start % PAGE:
        position += PAGE
        page = log.page(position)
        if page is None:
            return -1
        flags, left = page
        start = position + _header(position)
        if not flags & CONTINUES:
            return start
    return _start_after(log, start + left)


def aligned(end: int) -> int:
    """Give where a record that ends here leaves room for the next."""
    return (end + 7) & ~7


def _next(log: _Log, record: Record) -> int:
    if record.switches:
        return _start_after(log, -(-record.end // SEGMENT) * SEGMENT)
    return _start_after(log, record.end)


def _start_after(log: _Log, end: int) -> int:
    """Give where a record begins that follows an end; -1 where no page does."""
    position = aligned(end)
    if position % PAGE:
        return position
    return position + _header(position) if log.page(position) is not None else -1


def _ended(body: bytes) -> datetime | None:
    """Read when a transaction ended: the first of a commit's or abort's main data."""
    if body[16] & 0x70 not in ENDINGS:
        return None
    offset = 24
    while offset < len(body):
        mark = body[offset]
        if mark == 253:
            offset += 3
        elif mark == 252:
            offset += 5
        elif mark in (254, 255):
            offset += 2 if mark == 255 else 5
            micros = int.from_bytes(body[offset : offset + 8], "little", signed=True)
            return EPOCH + timedelta(microseconds=micros)
        else:
            return None
    return None
