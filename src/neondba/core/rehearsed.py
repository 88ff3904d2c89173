"""What was rehearsed, so that nothing else is applied."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from neondba.core.journal import UNUSABLE
from neondba.core.problem import ArgumentProblem

if TYPE_CHECKING:
    from sqlalchemy import Engine


class RehearsedStep(BaseModel):
    """One migration as it was rehearsed."""

    revision: str
    title: str = ""
    content: str
    """SHA-256 over its files."""
    reversibility: str
    passed: bool
    """Whether its way up went through on the rows that are there."""
    before: str = ""
    """Fingerprint of the schema before its way up."""
    after: str | None = None
    """Fingerprint of the schema after its way up."""
    back: str | None = None
    """Fingerprint after its way down; nothing where there is none that goes through."""
    drops_data: bool = False
    """Whether rows or values were gone after the way up."""
    loses: tuple[str, ...] = ()
    """What was gone after up and down."""
    seconds: float = 0.0
    locks: tuple[str, ...] = ()
    """The locks that are held while all rows are worked on, as sentences."""
    waits: tuple[str, ...] = ()
    """How long an application had to wait for locks, as sentences."""


class Rehearsed(BaseModel):
    """One rehearsal on a copy of one branch."""

    at: datetime
    project: str
    """Its id."""
    branch: str
    """Id of the branch that was copied."""
    database: str
    place: str
    """Where the migrations stand, seen from the project's folder."""
    tool: str
    before: str
    """Fingerprint of the schema that it began with."""
    catalog: str = ""
    """That schema as JSON, to name what has changed since."""
    steps: tuple[RehearsedStep, ...] = ()


class Rehearsals:
    """The rehearsals that this user has made, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, rehearsed: Rehearsed) -> None:
        """Keep one; the oldest of its target make room.

        Raises:
            ArgumentProblem: the folder cannot be written, or its disk is full.
        """
        from neondba.core import rehearsal_store

        try:
            rehearsal_store.add(self._engine(), rehearsed)
        except rehearsal_store.TROUBLE as error:
            raise ArgumentProblem(
                "state-dir-unusable",
                f"The rehearsal cannot be kept in {self.path}: {rehearsal_store.reason(error)}.",
                hint=UNUSABLE,
            ) from None

    def of(self, project: str, branch: str, database: str, place: str) -> list[Rehearsed]:
        """Give those of one target, newest first.

        Raises:
            ArgumentProblem: the file cannot be read.
        """
        from neondba.core import rehearsal_store

        if not self.path.exists():
            return []
        try:
            return rehearsal_store.of(self._engine(), project, branch, database, place)
        except rehearsal_store.TROUBLE as error:
            raise ArgumentProblem(
                "state-dir-unusable",
                f"The rehearsals in {self.path} cannot be read: {rehearsal_store.reason(error)}.",
                hint=UNUSABLE,
            ) from None

    def _engine(self) -> Engine:
        from neondba.core import rehearsal_store

        return rehearsal_store.engine(self.path)
