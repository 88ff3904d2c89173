"""Administer a server that is ours: over its Unix socket, names and values quoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier, Literal

__all__ = ["SQL", "AdminSession", "Identifier", "Literal", "connect_socket"]

AdminSession = psycopg.Connection[tuple[Any, ...]]
"""A session whose rows are tuples and whose statements take effect at once."""


def connect_socket(sockets: Path, user: str, database: str) -> AdminSession:
    """Open a session at the socket in this folder; no password is asked there."""
    return psycopg.connect(
        host=str(sockets),
        port=5432,
        user=user,
        dbname=database,
        autocommit=True,
        application_name="neondba",
    )
