r"""What of a plain dump is sent to psql: everything but owners, grants and its own restriction.

Lines are replaced by empty ones, so that line numbers in errors stay those of the file. Outside the
form that pg_dump writes nothing is left out but `\restrict`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

MADE_BY_PG_DUMP: Final = re.compile(rb"-- PostgreSQL database dump")
SECTION: Final = re.compile(rb"-- (?:Data for )?Name: .*; Type: ([A-Z ]+);")
GRANTS: Final = frozenset({b"ACL", b"DEFAULT ACL"})
OWNER: Final = re.compile(rb"ALTER [A-Z ]+ .* OWNER TO [^;]+;\s*$")
COPY: Final = re.compile(rb"(?i)copy\s.*\sfrom\s+stdin\b.*;\s*$")
GUARD: Final = re.compile(rb"\\(?:un)?restrict\s+\w+\s*$")
BODY: Final = re.compile(rb"\sAS (\$\w*\$)")


def loadable(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Give the lines to send."""
    copying, ours, grants = False, False, False
    body: bytes | None = None
    for line in lines:
        if copying:
            copying = line.rstrip(b"\r\n") != b"\\."
        elif body is not None:
            body = None if body in line else body
        elif GUARD.match(line):
            line = b"\n"
        else:
            ours = ours or MADE_BY_PG_DUMP.match(line) is not None
            if section := SECTION.match(line):
                grants = section[1] in GRANTS
            copying = COPY.match(line) is not None
            body = _opened(line)
            if ours and (grants or OWNER.match(line)):
                line = b"\n"
        yield line


def _opened(line: bytes) -> bytes | None:
    """Give the quote that this line opens and does not close."""
    found = BODY.search(line)
    return found[1] if found and found[1] not in line[found.end() :] else None
