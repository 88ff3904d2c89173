"""Roles with the least they need: five profiles, and the statements that make one.

    with connect(owner_url) as session:
        plan = planned(session, Wanted("app", Profile.APPLICATION))
        carry_out(session, plan, password)

Made by SQL, never over Neon's API: what the API makes is a member of neon_superuser and passes row-level
security by. A plan holds only what is missing, so a second one is empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, trusted
from neondba.postgres.role_password import set_unseen


class Profile(StrEnum):
    """What a role is for."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"
    MIGRATOR = "migrator"
    APPLICATION = "application"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Rights:
    """What a profile may do."""

    summary: str
    schema: tuple[str, ...] = ("usage",)
    table: tuple[str, ...] = ()
    sequence: tuple[str, ...] = ()
    routine: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    inherits: bool = False
    keeps_off_records: bool = False
    """Whether the tables in which tools note what has been migrated are out of its reach."""

    def of(self, kind: str) -> tuple[str, ...]:
        """Give the privileges on a kind of object."""
        return {"table": self.table, "sequence": self.sequence, "routine": self.routine}[kind]


_ROWS: Final = ("select", "insert", "update", "delete")
_LIMITS: Final = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
RIGHTS: Final = {
    Profile.READ_ONLY: Rights("reads rows", table=("select",), sequence=("select",)),
    Profile.READ_WRITE: Rights(
        "reads and writes rows",
        table=_ROWS,
        sequence=("select", "usage"),
        routine=("execute",),
        keeps_off_records=True,
    ),
    Profile.MIGRATOR: Rights(
        "makes and changes tables; owns what it makes",
        schema=("usage", "create"),
        table=(*_ROWS, "truncate", "references", "trigger"),
        sequence=("select", "usage", "update"),
        routine=("execute",),
        inherits=True,
        settings={"lock_timeout": "10s"},
    ),
    Profile.APPLICATION: Rights(
        "reads and writes rows under row-level security, with time limits",
        table=_ROWS,
        sequence=("select", "usage"),
        routine=("execute",),
        settings=_LIMITS,
        keeps_off_records=True,
    ),
    Profile.AUDITOR: Rights(
        "reads catalogs and statistics, no rows",
        member_of=("pg_monitor",),
        inherits=True,
        settings={"default_transaction_read_only": "on"},
    ),
}
"""What each profile may do."""


@dataclass(frozen=True)
class Wanted:
    """A role as it should be."""

    name: str
    profile: Profile
    schemas: tuple[str, ...] = ("public",)
    rows: bool = False
    """True to let an auditor read rows too."""
    take_ownership: bool = False
    """True to hand the tables that are there to a migrator, which cannot change them otherwise."""

    def __post_init__(self) -> None:
        if problem := _unusable(self.name):
            raise ArgumentProblem(
                "role-name-invalid",
                f"A role cannot be called {self.name[:70] or '(nothing)'}: {problem}.",
                hint="Use up to 63 letters, digits, _ and -, such as app or app_reader.",
            )

    @property
    def rights(self) -> Rights:
        """Give what it may do."""
        rights = RIGHTS[self.profile]
        if not self.rows or self.profile is not Profile.AUDITOR:
            return rights
        reader = RIGHTS[Profile.READ_ONLY]
        return Rights(
            "reads catalogs, statistics and rows",
            table=reader.table,
            sequence=reader.sequence,
            member_of=rights.member_of,
            settings=rights.settings,
            inherits=True,
        )


@dataclass(frozen=True)
class RolePlan:
    """What is missing of a role, and what will stay other than wanted."""

    name: str
    exists: bool
    statements: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    """Sentences: what this session may not do for the role."""
    differs: tuple[str, ...] = ()
    """Sentences: what the role has beyond its profile; it stays."""


def planned(session: Connection, wanted: Wanted) -> RolePlan:
    """Read the database and give the statements that are missing.

    Raises:
        ArgumentProblem: a schema does not exist.
        ConflictProblem: a role of this name exists that must not be changed, such as a superuser.
    """
    from neondba.postgres.role_statements import missing

    return missing(session, wanted)


def carry_out(session: Connection, plan: RolePlan, password: Secret | None = None) -> None:
    """Send the statements in one transaction; the role may log in once it has a password.

    Raises:
        Refused: the server refuses one; nothing is changed then.
    """
    with session.transaction():
        for statement in plan.statements:
            session.execute(trusted(statement))
        if password is not None:
            set_unseen(session, plan.name, password)


def _unusable(name: str) -> str | None:
    if not name or "\0" in name:
        return "it is empty"
    if len(name.encode()) > 63:
        return "PostgreSQL keeps 63 bytes"
    if name.startswith("pg_") or name in (
        "neon_superuser", "cloud_admin", "zenith_admin", "public", "none", "current_user", "session_user"
    ):  # fmt: skip
        return "PostgreSQL or Neon has reserved that name"
    return None
