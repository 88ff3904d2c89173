"""What Neon sets in its PgBouncer, and the parameters that one keeps per client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from neondba.neon.limits import MAX_CLIENT_CONN, MAX_PREPARED_STATEMENTS, POOL_SHARE, QUERY_WAIT_TIMEOUT

TRACKED: Final = (
    "client_encoding",
    "datestyle",
    "timezone",
    "standard_conforming_strings",
    "application_name",
)
"""Kept per client and set again on each server connection; everything else leaks, as on Neon."""
SERVER_NAME: Final = "pgbouncer"
"""`application_name` of a client that gives none."""


@dataclass(frozen=True)
class Limits:
    """Neon's settings; no user can change them."""

    max_client_conn: int = MAX_CLIENT_CONN
    share: float = POOL_SHARE
    """Of `max_connections`, for each role and database."""
    query_wait_timeout: float = QUERY_WAIT_TIMEOUT
    server_idle_timeout: float = 600.0
    max_prepared_statements: int = MAX_PREPARED_STATEMENTS
    longest_parse: int = 16 << 20
    """A named statement must be kept whole in memory."""
