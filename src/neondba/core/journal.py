"""A hash-chained record of what was done to whose data.

Each entry carries the hash of the one before, so that a removed or edited line shows. Secrets never
enter: an entry is made from a plan, and a plan holds names only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from neondba.core.plan import Effect, Plan
from neondba.core.problem import ArgumentProblem

if TYPE_CHECKING:
    from sqlalchemy import Engine

UNUSABLE: Final = "Free some space there, or choose another folder with --state-dir or NEONDBA_STATE_DIR."
"""What helps when the state folder cannot be written."""


class Entry(BaseModel):
    """One act: planned, then done or failed."""

    number: int
    at: datetime
    operation: str
    project: str | None
    branch: str | None
    role: str | None
    plan_hash: str
    steps: tuple[str, ...]
    outcome: str
    """`done`, or the code of the problem that ended it."""
    previous: str
    hash: str
    effect: Effect | None = None
    """How far it reached; absent in entries of the first releases."""

    def digest(self) -> str:
        """Compute what `hash` must be."""
        # An entry of the first releases was hashed without an effect, and must go on to fit.
        left_out = {"hash"} if self.effect else {"hash", "effect"}
        body = self.model_dump_json(exclude=left_out)
        return hashlib.sha256(body.encode()).hexdigest()

    def fits(self, number: int, previous: str) -> bool:
        """Tell whether it is the entry of this number behind one of this hash, as it was written."""
        return (self.number, self.previous, self.hash) == (number, previous, self.digest())


class Journal:
    """Append to and verify the log in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Make sure that an entry can be written, before anything is done that needs one.

        Raises:
            ArgumentProblem: the folder cannot be written, its disk is full, or the file is no log.
        """
        from neondba.core import journal_store

        try:
            journal_store.check(self._engine())
        except journal_store.TROUBLE as error:
            raise ArgumentProblem(
                "state-dir-unusable",
                f"The journal {self.path} cannot be written: {journal_store.reason(error)}. "
                "Nothing was done, since it could not be recorded.",
                hint=f"{UNUSABLE} If the file itself is broken, move it away; a new one is begun.",
            ) from None

    def append(self, plan: Plan, outcome: str, at: datetime) -> Entry:
        """Record what became of a plan; return the entry as stored.

        Raises:
            ArgumentProblem: the folder cannot be written, or its disk is full.
        """
        from neondba.core import journal_store

        try:
            return self._append(plan, outcome, at)
        except journal_store.TROUBLE as error:
            said = f"The state folder {self.path.parent} cannot be written: {journal_store.reason(error)}."
            if outcome != "state-dir-unusable":
                said += f" {plan.operation} ended ({outcome}), which could not be recorded."
            raise ArgumentProblem("state-dir-unusable", said, hint=UNUSABLE) from None

    def _append(self, plan: Plan, outcome: str, at: datetime) -> Entry:
        from neondba.core import journal_store

        with journal_store.locked(self._engine()) as rows:
            last = rows.last()
            entry = Entry(
                number=last.number + 1 if last else 1,
                at=at,
                operation=plan.operation,
                project=plan.target.project,
                branch=plan.target.branch,
                role=plan.target.role,
                plan_hash=plan.hash,
                steps=plan.steps,
                outcome=outcome,
                effect=plan.effect,
                previous=_hash_in(last.body) if last else "",
                hash="",
            )
            entry = entry.model_copy(update={"hash": entry.digest()})
            rows.add(entry.number, entry.model_dump_json())
        return entry

    def entries(self) -> Iterator[Entry]:
        """Give every entry that can be read, oldest first; nothing when there is no log yet."""
        return (entry for entry in self.rows() if entry is not None)

    def rows(self) -> Iterator[Entry | None]:
        """Give every row of the log, oldest first; nothing in the place of one that is no entry.

        Raises:
            ArgumentProblem: the file cannot be read, or is no log.
        """
        if not self.path.exists():
            return
        from neondba.core import journal_store

        try:
            bodies = journal_store.bodies(self._engine())
        except journal_store.TROUBLE as error:
            raise ArgumentProblem(
                "journal-unreadable",
                f"The journal {self.path} cannot be read: {journal_store.reason(error)}.",
                hint="Look who owns the file. If it is damaged, keep a copy of it: it is evidence.",
            ) from None
        for body in bodies:
            try:
                yield Entry.model_validate_json(body)
            except ValidationError:
                yield None

    def first_broken(self) -> int | None:
        """Give the number of the first entry that does not fit the chain, if any."""
        previous = ""
        for expected, entry in enumerate(self.rows(), start=1):
            if entry is None or not entry.fits(expected, previous):
                return expected
            previous = entry.hash
        return None

    def _engine(self) -> Engine:
        from neondba.core import journal_store

        return journal_store.engine(self.path)


def _hash_in(body: str) -> str:
    """Give the hash of a stored entry; a damaged one has none, and must not stop today's work."""
    try:
        return Entry.model_validate_json(body).hash
    except ValidationError:
        return ""
