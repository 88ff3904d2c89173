"""Which rotations of credentials were begun here and are not over. No secret is in it.

Apart from everything else because the ORM takes 0.4 s to import.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Field, Session, SQLModel

from neondba.core import state_file


class RotationRow(SQLModel, table=True):
    """One rotation that is under way."""

    __tablename__ = "rotation"
    id: str = Field(primary_key=True)
    place: str
    """Project, branch and database."""
    role: str
    old: str
    new: str
    folder: str
    at: datetime


@cache
def engine(path: Path) -> Engine:
    """Open the file, creating it for its owner only."""
    return state_file.opened(path, "rotation")


def begin(engine: Engine, row: RotationRow) -> None:
    """Note that one begins."""
    with Session(engine) as session:
        session.add(row)
        session.commit()


def known(engine: Engine, rotation: str) -> RotationRow | None:
    """Give one that was begun here."""
    with Session(engine, expire_on_commit=False) as session:
        return session.get(RotationRow, rotation)


def end(engine: Engine, rotation: str) -> None:
    """Forget one."""
    with Session(engine) as session:
        row = session.get(RotationRow, rotation)
        if row is not None:
            session.delete(row)
            session.commit()
