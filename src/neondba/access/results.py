"""What acting as two users has shown."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel

from neondba.postgres.seen import Attempt, NotSeeded


class Protection(StrEnum):
    """What protects a table's rows from another user."""

    POLICY = "policy"
    NO_PRIVILEGE = "no privilege"
    APPLICATION_ONLY = "application only"
    """Nothing in the database: the application's filter is all there is, and it is not proven here."""
    BYPASSED = "bypassed"
    """There is a policy, but it does not apply to this role."""
    DISABLED = "disabled"
    """There is a policy, but row-level security is not enabled on the table."""
    LEAKS = "leaks"
    """The policy applies and lets it through."""
    UNCLEAR = "unclear"
    """Not even A's own rows are reached, so a refusal shows nothing."""

    @property
    def holds(self) -> bool:
        """True when another user's rows are out of reach."""
        return self in (Protection.POLICY, Protection.NO_PRIVILEGE)

    @property
    def is_open(self) -> bool:
        """True when another user's rows were reached."""
        return not self.holds and self is not Protection.UNCLEAR


class TableProof(BaseModel):
    """One table: what was tried and what protects it."""

    table: str
    owner_column: str
    protection: Protection
    policies: tuple[str, ...] = ()
    sentences: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    without_user: bool = False
    """True when rows are read with no user set at all."""
    truncate_granted: bool = False
    with_own_role: Protection | None = None
    """The same tries as a plain role without BYPASSRLS; nothing where it was not tried."""


class IsolationProof(BaseModel):
    """Whether one user reaches another's rows, table by table."""

    role: str
    role_chosen: str
    """Why this role stands for the application."""
    passes_by: str | None = None
    """Why row-level security does not exist for the role; nothing when it does."""
    bypassing_roles: tuple[str, ...] = ()
    """Roles that carry BYPASSRLS and may log in."""
    branch: str | None = None
    server_version: str
    tables: tuple[TableProof, ...] = ()
    without_owner: tuple[str, ...] = ()
    """Tables with no owner column: not tried."""
    not_seeded: tuple[NotSeeded, ...] = ()
    fix: str | None = None
    """SQL that closes what is open."""
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """True when every table with an owner column is out of another user's reach."""
        return bool(self.tables) and all(table.protection.holds for table in self.tables)

    @property
    def found(self) -> int:
        """Count the tables that are not shown to hold."""
        return len([table for table in self.tables if not table.protection.holds])

    @property
    def summary(self) -> str:
        """One sentence over all tables."""
        if not self.tables:
            return "No table has an owner column, so there is nothing to prove."
        every = len(self.tables)
        reached = [t.table for t in self.tables if t.protection.is_open]
        unclear = [t.table for t in self.tables if t.protection is Protection.UNCLEAR]
        why = f" ({self.passes_by})" if self.passes_by else ""
        if reached:
            return (
                f"As {self.role}{why}, one user reaches another's rows in {len(reached)} of {every} tables:"
                f" {', '.join(reached)}."
            )
        if unclear:
            return (
                f"As {self.role}, it is unclear in {len(unclear)} of {every} tables whether one user reaches"
                f" another's rows: {', '.join(unclear)}."
            )
        return f"As {self.role}, one user reaches none of another's rows in {every} tables."

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show the proof for a person."""
        where = f" on branch {self.branch}" if self.branch else ""
        lines = [self.summary, f"PostgreSQL {self.server_version}{where}, {self.seconds:.1f} s."]
        lines += [f"Role {self.role}: {self.role_chosen}.", ""]
        for table in self.tables:
            word = "PROTECTED" if table.protection.holds else table.protection.value.upper()
            lines.append(f"{table.table}  {word}  (owner column {table.owner_column})")
            lines += [f"    {sentence}" for sentence in table.sentences]
            lines += [f"    {a.action.value}: {a.text}" for a in table.attempts]
        for skipped in self.not_seeded:
            lines.append(f"{skipped.table}  NOT CHECKED  no rows could be made: {skipped.reason}")
        if self.without_owner:
            lines.append(f"No owner column, not tried: {', '.join(self.without_owner)}")
        if self.bypassing_roles:
            lines += ["", f"Row-level security does not exist for: {', '.join(self.bypassing_roles)}."]
        if self.fix:
            lines += ["", "To close it:", "", self.fix]
        return "\n".join(lines)
