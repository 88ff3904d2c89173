"""What was done with this program, filtered, and whether the record is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from neondba.access.audit_log_results import AuditLog, Chain, LogEntry
from neondba.core.context import Context
from neondba.core.journal import Entry
from neondba.core.plan import Effect


@dataclass(frozen=True)
class Asked:
    """Which entries are wanted; `None` asks for nothing in particular."""

    since: datetime | None = None
    until: datetime | None = None
    operation: str | None = None
    project: str | None = None
    branch: str | None = None
    role: str | None = None
    effect: Effect | None = None
    failed: bool = False

    def takes(self, entry: LogEntry) -> bool:
        """Tell whether an entry is wanted."""
        exact = (
            (self.project, entry.project),
            (self.branch, entry.branch),
            (self.role, entry.role),
            (self.effect, entry.effect),
        )
        return (
            all(wanted is None or wanted == there for wanted, there in exact)
            and self._names(entry.operation)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and not (self.failed and entry.outcome == "done")
        )

    def _names(self, operation: str) -> bool:
        """Take `branch.delete`, `branch delete`, or the group's word alone."""
        if self.operation is None:
            return True
        wanted = self.operation.strip().replace(" ", ".").replace("-", "_")
        return operation == wanted or operation.startswith(f"{wanted}.")


def audit_log(ctx: Context, asked: Asked, *, head: str | None, limit: int) -> AuditLog:
    """Read and verify the journal; give the wanted entries, the newest last.

    Raises:
        ArgumentProblem: the journal cannot be read.
    """
    reader = _Reader(head)
    wanted = [entry for entry in reader.read(ctx) if asked.takes(entry)]
    return AuditLog(
        path=str(ctx.journal.path),
        entries=tuple(wanted[-limit:] if limit else wanted),
        matching=len(wanted),
        chain=reader.chain(),
    )


class _Reader:
    """Walk the log once, for its entries and for its chain."""

    def __init__(self, head: str | None) -> None:
        self._head = head
        self._seen_head = False
        self._count = 0
        self._broken: int | None = None
        self._why = ""
        self._last = ""

    def read(self, ctx: Context) -> Iterator[LogEntry]:
        for entry in ctx.journal.rows():
            self._count += 1
            fault = _fault(entry, self._count, self._last)
            if fault and self._broken is None:
                self._broken, self._why = self._count, fault
            if entry is None:
                self._last = ""
                continue
            self._last = entry.hash
            # A head behind the break proves nothing: whoever edited may have copied it.
            sound = self._broken is None
            self._seen_head = self._seen_head or (sound and _is_head(self._head, entry.hash))
            yield _shown(entry, sound=sound)

    def chain(self) -> Chain:
        missing = self._head is not None and not self._seen_head
        return Chain(
            entries=self._count,
            whole=self._broken is None and not missing,
            head=self._last or None,
            first_broken=self._broken,
            why=self._why or (f"No sound entry has the hash {self._head}." if missing else ""),
            head_found=None if self._head is None else self._seen_head,
        )


def _is_head(wanted: str | None, found: str) -> bool:
    return wanted is not None and len(wanted) >= 8 and found.startswith(wanted.lower())


def _fault(entry: Entry | None, number: int, previous: str) -> str:
    if entry is None:
        return f"Row {number} holds nothing that can be read as an entry."
    if entry.number != number:
        return f"Where entry {number} should be stands entry {entry.number}: at least one was removed."
    if entry.hash != entry.digest():
        return f"Entry {number} ({entry.operation}) was changed after it was written."
    if entry.previous != previous:
        return f"Entry {number} ({entry.operation}) does not follow the entry before it: one was exchanged."
    return ""


def _shown(entry: Entry, *, sound: bool) -> LogEntry:
    return LogEntry(
        number=entry.number,
        at=entry.at.astimezone(UTC),
        operation=entry.operation,
        effect=entry.effect or _usual_effect(entry.operation),
        project=entry.project,
        branch=entry.branch,
        role=entry.role,
        outcome=entry.outcome,
        plan=entry.plan_hash,
        steps=entry.steps,
        sound=sound,
    )


def _usual_effect(name: str) -> Effect | None:
    """Give the effect that an operation has now, for entries that hold none."""
    from neondba.core.operation import registered

    known = registered().get(name)
    return known.effect if known else None
