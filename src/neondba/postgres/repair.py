"""Bring a throw-away database back to a known state. Only for those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import psycopg
from psycopg import sql

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.seen import Change, Difference

_DROPPABLE: Final = {
    "view": "view",
    "index": "index",
    "table": "table",
    "sequence": "sequence",
    "function": "function",
    "domain": "domain",
    "enum type": "type",
    "type": "type",
}


def drop_added(session: Connection, differences: Iterable[Difference]) -> None:
    """Drop the objects that came; what something else depends on stays."""
    added = {(d.kind, d.name) for d in differences if d.change is Change.ADDED}
    for kind, word in _DROPPABLE.items():
        for name in sorted(name for k, name in added if k == kind):
            try:
                # The name comes from Postgres, which has quoted it.
                session.execute(trusted(f"drop {word} if exists {name}"))
            except psycopg.Error:
                continue


def start_over(session: Connection) -> None:
    """Drop every schema of the project and make an empty `public`."""
    rows = session.execute(
        "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    ).fetchall()
    for row in rows:
        session.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(str(row["nspname"]))))
    session.execute("create schema public")
