"""Administer a server that is ours: over its Unix socket, names and values quoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier, Literal

__all__ = ["SQL", "AdminSession", "Identifier", "Literal", "connect_socket", "lost"]

PINNED: Final = (
    "-c search_path=pg_catalog -c role=none -c default_transaction_read_only=off -c statement_timeout=0"
    " -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
)
"""What a database's owner may set for it, and must not for a superuser's session: names that lead to the
owner's own functions above all."""

AdminSession = psycopg.Connection[tuple[Any, ...]]
"""A session whose rows are tuples and whose statements take effect at once."""


def connect_socket(sockets: Path, user: str, database: str) -> AdminSession:
    """Open a session at the socket in this folder; no password is asked there.

    Names are those of PostgreSQL itself: what is in another schema must be written with it.
    """
    return psycopg.connect(
        host=str(sockets),
        port=5432,
        user=user,
        dbname=database,
        autocommit=True,
        application_name="neondba",
        client_encoding="UTF8",
        options=PINNED,
    )


def lost(error: BaseException) -> bool:
    """Tell whether a session ended, or did not begin, because its server died."""
    return isinstance(error, psycopg.OperationalError) and not isinstance(error, psycopg.errors.DiskFull)
