"""Take a role away: its objects to an heir, its rights back, then itself."""

from __future__ import annotations

from psycopg import sql

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.role_membership import membership


def hand_over(session: Connection, role: str, heir: str) -> None:
    """Give what a role owns in this database to another, and take its rights back, all or nothing."""
    names = sql.Identifier(role), sql.Identifier(heir)
    with session.transaction():
        # Who may manage a role may become a member of it, and only a member may hand over its objects.
        session.execute(trusted(membership(session, role, inherits=True, to=heir)))
        session.execute(sql.SQL("reassign owned by {} to {}").format(*names))
        session.execute(sql.SQL("drop owned by {}").format(names[0]))


def drop(session: Connection, roles: list[str]) -> None:
    """Drop roles together, or none of them."""
    with session.transaction():
        for role in roles:
            session.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
