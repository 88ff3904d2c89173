"""The table of rehearsals. Apart from `rehearsed.py` because the ORM takes 0.4 s to import."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from neondba.core import state_file
from neondba.core.journal_store import TROUBLE, reason
from neondba.core.rehearsed import Rehearsed

__all__ = ["TROUBLE", "add", "engine", "of", "reason"]

KEPT: Final = 20
"""Rehearsals of one target that are kept."""


class RehearsalRow(SQLModel, table=True):
    """A rehearsal as stored."""

    __tablename__ = "rehearsal"
    number: int | None = Field(default=None, primary_key=True)
    project: str = Field(index=True)
    branch: str
    database: str
    place: str
    body: str


@cache
def engine(path: Path) -> Engine:
    """Open the file, creating it for its owner only."""
    return state_file.opened(path, "rehearsal")


def add(engine: Engine, rehearsed: Rehearsed) -> None:
    """Store one and forget what is older than the newest few of its target."""
    with Session(engine) as session:
        session.add(
            RehearsalRow(
                project=rehearsed.project,
                branch=rehearsed.branch,
                database=rehearsed.database,
                place=rehearsed.place,
                body=rehearsed.model_dump_json(),
            )
        )
        session.flush()
        there = _rows(session, rehearsed.project, rehearsed.branch, rehearsed.database, rehearsed.place)
        for row in there[KEPT:]:
            session.delete(row)
        session.commit()


def of(engine: Engine, project: str, branch: str, database: str, place: str) -> list[Rehearsed]:
    """Give those of one target, newest first."""
    with Session(engine) as session:
        rows = _rows(session, project, branch, database, place)
        return [Rehearsed.model_validate_json(row.body) for row in rows]


def _rows(session: Session, project: str, branch: str, database: str, place: str) -> list[RehearsalRow]:
    wanted = (
        select(RehearsalRow)
        .where(RehearsalRow.project == project, RehearsalRow.branch == branch)
        .where(RehearsalRow.database == database, RehearsalRow.place == place)
        .order_by(col(RehearsalRow.number).desc())
    )
    return list(session.exec(wanted))
