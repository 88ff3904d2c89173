"""What `audit.log` answers."""

from __future__ import annotations

import csv
import io
import textwrap
from datetime import datetime

from pydantic import BaseModel, Field

from neondba.core.plan import Effect

_COLUMNS = ("number", "at", "operation", "effect", "project", "branch", "role", "outcome", "plan", "sound")


class LogEntry(BaseModel):
    """One thing that was done, or tried."""

    number: int
    at: datetime
    operation: str
    effect: Effect | None
    project: str | None
    branch: str | None
    role: str | None
    outcome: str
    """`done`, or the code of the problem that ended it."""
    plan: str
    """Hash of the plan that was carried out."""
    steps: tuple[str, ...]
    sound: bool
    """True where the chain is whole up to here."""


class Chain(BaseModel):
    """Whether the record is as it was written."""

    entries: int
    whole: bool
    head: str | None
    """Hash of the newest entry: note it elsewhere, and a later check can show that nothing was cut off."""
    first_broken: int | None
    why: str
    head_found: bool | None
    """Whether the hash that was given is in the sound part; `None` where none was given."""


class AuditLog(BaseModel):
    """Entries of the journal, oldest first, and whether it is whole."""

    path: str
    entries: tuple[LogEntry, ...]
    matching: int = Field(description="How many entries fit; more than shown where there is a limit.")
    chain: Chain

    def as_text(self, width: int) -> str:
        """Show it in a terminal: the chain last, where eyes rest."""
        parts = [*self._table(), *textwrap.wrap(self._verdict(), max(50, width))]
        if self.chain.whole and self.chain.head and self.chain.head_found is None:
            parts += textwrap.wrap(
                "Not checked: whether entries at the end were cut off, or the whole log written anew. Note "
                f"this hash elsewhere and give it later: neondba audit log --head {self.chain.head[:16]}",
                max(50, width),
            )
        return "\n".join(parts)

    def _table(self) -> list[str]:
        if not self.entries:
            return ["No entry fits." if self.chain.entries else "Nothing is recorded yet.", ""]
        rows = [("", "when (UTC)", "operation", "effect", "where", "outcome")]
        rows += [
            (
                f"{'' if each.sound else '! '}{each.number}",
                f"{each.at:%Y-%m-%d %H:%M:%S}",
                each.operation,
                str(each.effect or "-"),
                "/".join(part for part in (each.project, each.branch, each.role) if part) or "-",
                each.outcome,
            )
            for each in self.entries
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        lines = [
            "  ".join(f"{one:<{wide}}" for one, wide in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        if self.matching > len(self.entries):
            lines.append(f"{self.matching - len(self.entries)} older entries fit too: --limit 0 shows all.")
        return [*lines, ""]

    def _verdict(self) -> str:
        chain = self.chain
        if not chain.entries and chain.head_found is None:
            return f"{self.path} holds no entries."
        if chain.whole:
            kept = ", the hash you gave among them" if chain.head_found else ""
            return f"The log is whole: {chain.entries} entries, each fits the one before{kept}."
        if chain.first_broken is None:
            return f"The log is NOT whole: {chain.why} Entries were cut off, or the log was written anew."
        return (
            f"The log is NOT whole. {chain.why} Entries from {chain.first_broken} on, marked with !, prove "
            f"nothing. Keep a copy of {self.path}."
        )

    def as_csv(self) -> str:
        """Give the entries as CSV, one line each."""
        made = io.StringIO()
        writer = csv.writer(made, lineterminator="\n")
        writer.writerow([*_COLUMNS, "steps"])
        for each in self.entries:
            values = [getattr(each, name) for name in _COLUMNS]
            row = ["" if value is None else str(value) for value in values]
            writer.writerow([_harmless(value) for value in [*row, " ".join(each.steps)]])
        return made.getvalue()


def _harmless(value: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
