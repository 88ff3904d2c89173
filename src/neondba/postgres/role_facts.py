"""What a database's catalog says of its roles: read in one transaction that writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from neondba.postgres.connect import Connection, Refused, Row, ask
from neondba.postgres.role_actor import first_line, undone

KINDS: Final = (
    "clock", "roles", "reach", "rights", "schemas", "grants", "definers", "guarded", "seen", "counted",
    "passwords",
)  # fmt: skip
_PREFIX: Final = "audit_"


@dataclass(frozen=True)
class RoleFacts:
    """Rows by kind, and why a kind could not be read."""

    rows: dict[str, list[Row]]
    refused: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Row]:
        """Give the rows of a kind; none where it could not be read."""
        return self.rows.get(kind, [])

    @property
    def clock(self) -> dict[str, Any]:
        """Give whose session it was, where and when."""
        return self.rows["clock"][0]


def read(session: Connection) -> RoleFacts:
    """Ask every query on roles; names come with their schemas."""
    rows: dict[str, list[Row]] = {}
    refused: dict[str, str] = {}
    with undone(session):
        rows["defaults"] = ask(session, "look_default_privileges")
        for kind in KINDS:
            try:
                with session.transaction():
                    rows[kind] = ask(session, _PREFIX + kind)
            except Refused as error:
                refused[kind] = first_line(error)
    return RoleFacts(rows, refused)
