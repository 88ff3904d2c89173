"""What a database itself records of its use: sessions, counted statements, counted rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from neondba.postgres.connect import Connection, Refused, Row, ask
from neondba.postgres.ddl.names import last, plain
from neondba.postgres.role_actor import first_line, undone
from neondba.postgres.row_statement import read_rows

KINDS: Final = ("settings", "sessions", "statements", "tables")
HIDDEN: Final = "<insufficient privilege>"
_WORDS: Final = re.compile(r"(?:/\*.*?\*/|--[^\n]*\n|\s)*([A-Za-z]+)(?:\s+([A-Za-z]+))?", re.DOTALL)
_TWO: Final = frozenset({"alter", "create", "drop", "comment", "grant", "revoke", "refresh"})
_ASIDE: Final = frozenset(
    {"begin", "commit", "rollback", "set", "show", "start", "savepoint", "release", "reset", "discard", "end",
     "deallocate", "prepare", "close", "fetch", "listen", "unlisten"}
)  # fmt: skip


@dataclass(frozen=True)
class AccessFacts:
    """Rows by kind, and why a kind could not be read."""

    rows: dict[str, list[Row]]
    refused: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Row]:
        """Give the rows of a kind; none where it could not be read."""
        return self.rows.get(kind, [])

    @property
    def settings(self) -> dict[str, Any]:
        """Give what the server records."""
        return self.rows["settings"][0]


@dataclass(frozen=True)
class Deed:
    """What a statement does, without its text: that may hold a password."""

    did: str
    tables: tuple[str, ...] = ()


def read(session: Connection) -> AccessFacts:
    """Ask every query on the use of a database."""
    rows: dict[str, list[Row]] = {}
    refused: dict[str, str] = {}
    with undone(session):
        for kind in KINDS:
            try:
                # pg_stat_statements may be in any schema of the path.
                with session.transaction():
                    session.execute("set local search_path to default")
                    rows[kind] = ask(session, f"access_{kind}")
            except Refused as error:
                refused[kind] = first_line(error)
    return AccessFacts(rows, refused)


def deed(statement: str) -> Deed | None:
    """Say what a statement does to which tables; nothing for those that touch no data."""
    found = read_rows(statement)
    if found is not None:
        return Deed(found.kind, found.tables)
    words = _WORDS.match(statement)
    if words is None or words[1].lower() in _ASIDE:
        return None
    first, second = words[1].lower(), (words[2] or "").lower()
    return Deed(f"{first} {second}".strip() if first in _TWO else first)


def names_table(tables: Iterable[str], wanted: str) -> bool:
    """Tell whether a table is among names with or without a schema."""
    short = plain(last(wanted)).lower()
    return any(plain(last(each)).lower() == short for each in tables)
