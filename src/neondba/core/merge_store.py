"""Which branch was merged into which, and at what moment: where the next merge of the two begins.

Apart from everything else because the ORM takes 0.4 s to import.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Field, Session, SQLModel, col, or_, select

from neondba.core import state_file


class MergeRow(SQLModel, table=True):
    """One merge that was carried out."""

    __tablename__ = "merge"
    number: int | None = Field(default=None, primary_key=True)
    project: str = Field(index=True)
    source: str
    """Id of the branch that was merged."""
    target: str
    database: str
    lsn: str
    """Up to where the source's history is in the target."""
    at: datetime


@cache
def engine(path: Path) -> Engine:
    """Open the file, creating it for its owner only."""
    return state_file.opened(path, "merge")


def add(engine: Engine, row: MergeRow) -> None:
    """Store one."""
    with Session(engine) as session:
        session.add(row)
        session.commit()


def newest(engine: Engine, project: str, one: str, other: str, database: str) -> MergeRow | None:
    """Give the last merge between two branches, in either direction."""
    ways = or_(
        (col(MergeRow.source) == one) & (col(MergeRow.target) == other),
        (col(MergeRow.source) == other) & (col(MergeRow.target) == one),
    )
    wanted = (
        select(MergeRow)
        .where(MergeRow.project == project, MergeRow.database == database, ways)
        .order_by(col(MergeRow.number).desc())
    )
    with Session(engine, expire_on_commit=False) as session:
        return session.exec(wanted).first()
