"""What the plan of row-level security found, decided and wrote."""

from __future__ import annotations

from pydantic import BaseModel


class TableDecided(BaseModel):
    """One table: whose its rows are."""

    table: str
    kind: str
    columns: tuple[str, ...] = ()
    """Columns of the table that lead to the owner."""
    why: str
    policies: int = 0
    """Policies of ours that stand for it."""


class FileWritten(BaseModel):
    """One file, and what it is for."""

    path: str
    what: str


class IsolationPlanned(BaseModel):
    """Row-level security for a project: decided, tried on a throw-away branch, and written."""

    role: str
    """The application's role."""
    admin: str | None = None
    sign_in: str | None = None
    """The role of the authentication provider."""
    setting: str
    tables: tuple[TableDecided, ...] = ()
    added: tuple[str, ...] = ()
    """What the database lacked."""
    files: tuple[FileWritten, ...] = ()
    not_written: tuple[str, ...] = ()
    sql: str | None = None
    """The statements, where no file could carry them."""
    proof: str = ""
    """What acting as two users has shown with it in place."""
    holds: bool | None = None
    open_tables: tuple[str, ...] = ()
    left_by_way_back: tuple[str, ...] = ()
    """What taking it back leaves behind; nothing when it is whole."""
    warning: str = ""
    """Whom the policies shut out: the role that the project's environment logs in with."""
    steps: tuple[str, ...] = ()
    """What remains to do, in order."""
    seconds: float = 0.0

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        lines = [self._headline(), ""]
        widest = max((len(t.table) for t in self.tables), default=0)
        lines += [f"{t.table:<{widest}}  {t.kind}: {t.why}." for t in self.tables]
        lines += ["", f"Shown on a throw-away branch: {self.proof}"] if self.proof else []
        if self.added and not self.left_by_way_back:
            lines.append("The way back was taken too and leaves nothing behind.")
        elif self.left_by_way_back:
            lines.append(f"The way back leaves: {', '.join(self.left_by_way_back)}.")
        lines += ["", self.warning] if self.warning else []
        lines += ["", *[f"wrote  {f.path}  ({f.what})" for f in self.files]] if self.files else []
        lines += ["", *self.not_written] if self.not_written else []
        lines += ["", "Statements", "", self.sql] if self.sql else []
        if self.steps:
            lines += ["", "Next", *[f"  {n}. {step}" for n, step in enumerate(self.steps, 1)]]
        return "\n".join(lines)

    def _headline(self) -> str:
        if not self.added and not self.files:
            return f"Nothing to add: every table is settled for role {self.role}."
        count = sum(1 for t in self.tables if t.policies)
        return (
            f"Row-level security for {count} table{'s' * (count != 1)}, binding role {self.role}"
            f" by {self.setting}; {len(self.added)} things lacked."
        )
