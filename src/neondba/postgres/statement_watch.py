"""Which statements reached the server between two moments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import sql

from neondba.postgres.connect import Connection, ask
from neondba.postgres.row_watch import MARK

_ASIDE: Final = re.compile(
    r"\s*(?:begin|commit|rollback|savepoint|release|set|show|reset|discard|deallocate|close|fetch)\b"
    r"|.*\b(?:pg_catalog|pg_stat_|pg_type|pg_class|information_schema)\b|\s*select\s+(?:\$1|1)\s*;?\s*$"
    r"|\s*select\s+(?:pg_catalog\.)?version\(\)",
    re.IGNORECASE | re.DOTALL,
)
_SPACE: Final = re.compile(r"\s+")


@dataclass
class StatementWatch:
    """Counts statements of one role on this database, from pg_stat_statements."""

    session: Connection
    role: str
    available: bool = False
    _calls: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            self.session.execute("create extension if not exists pg_stat_statements")
            self.available = True
            self.since()
        except psycopg.Error:
            self.available = False

    def since(self) -> list[str]:
        """Give the statements that were sent since the last time this was asked."""
        if not self.available:
            return []
        found = []
        for row in ask(self.session, "watched_statements", self.role, f"%{MARK}%"):
            key, calls = str(row["id"]), int(row["calls"])
            if calls > self._calls.get(key, 0) and not _ASIDE.match(str(row["query"])):
                found.append(_SPACE.sub(" ", str(row["query"])).strip())
            self._calls[key] = calls
        return found


def at_rest(session: Connection, role: str) -> bool:
    """Tell whether no session of a role is in the middle of something."""
    row = session.execute(
        sql.SQL(
            "select /* {} */ count(*) as n from pg_stat_activity where usename = %s"
            " and pid <> pg_backend_pid() and datname = current_database()"
            " and state is not null and state <> 'idle'"
            " and application_name <> 'neondba'"
        ).format(sql.SQL(MARK)),
        [role],
    ).fetchone()
    return row is None or int(row["n"]) == 0


def sessions_of(session: Connection, role: str) -> int:
    """Count the sessions of a role on this database beside our own."""
    row = session.execute(
        "select count(*) as n from pg_stat_activity where usename = %s and datname = current_database()"
        " and application_name <> 'neondba'",
        [role],
    ).fetchone()
    return int(row["n"]) if row else 0
