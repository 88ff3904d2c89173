"""How a session's role becomes a member of another: with its rights, or only to act as it."""

from __future__ import annotations

from typing import Final

from neondba.postgres.connect import Connection
from neondba.postgres.ddl.names import quote_ident

SPLIT: Final = 160000
"""The first server that tells the two apart, and that lets a role's maker do neither by itself."""


def membership(session: Connection, role: str, *, inherits: bool, to: str | None = None) -> str:
    """Give the statement that makes the session's role, or another, a member of one that it may manage.

    What a plain GRANT gives depends on a membership that is there already, so both options are named.
    """
    options = f" with inherit {str(inherits).lower()}, set true" if splits(session) else ""
    return f"grant {quote_ident(role)} to {quote_ident(to) if to else 'current_user'}{options}"


def splits(session: Connection) -> bool:
    """Tell whether the server knows a membership that only lets one act as the role."""
    return session.info.server_version >= SPLIT
