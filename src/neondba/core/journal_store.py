"""The journal's one table. Apart from `journal.py` because the ORM takes 0.4 s to import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Field, Session, SQLModel, select

from neondba.core import state_file

TROUBLE: Final = (OSError, DatabaseError)
"""What a folder that cannot be written, a full disk, or a file that is no log raises."""


class JournalRow(SQLModel, table=True):
    """An entry as stored."""

    __tablename__ = "journal"
    number: int = Field(primary_key=True)
    body: str


class Rows:
    """The table inside one exclusive transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def last(self) -> JournalRow | None:
        """Give the newest row."""
        return self._session.exec(select(JournalRow).order_by(JournalRow.number.desc())).first()  # type: ignore[attr-defined]

    def add(self, number: int, body: str) -> None:
        """Append a row."""
        self._session.add(JournalRow(number=number, body=body))


@cache
def engine(path: Path) -> Engine:
    """Open the log, creating it for its owner only."""
    return state_file.opened(path, "journal", isolation_level=None)


@contextmanager
def locked(engine: Engine) -> Iterator[Rows]:
    """Hold the write lock from reading the last entry until the next one is in."""
    with Session(engine) as session:
        session.exec(text("BEGIN IMMEDIATE"))  # type: ignore[call-overload]
        yield Rows(session)
        session.flush()
        session.exec(text("COMMIT"))  # type: ignore[call-overload]


def check(engine: Engine) -> None:
    """Take and give back the write lock: whoever may do this may append."""
    with engine.connect() as connection:
        connection.execute(text("BEGIN IMMEDIATE"))
        connection.execute(text("ROLLBACK"))


def bodies(engine: Engine) -> list[str]:
    """Give every entry's JSON, oldest first."""
    with Session(engine) as session:
        return list(session.exec(select(JournalRow.body).order_by(JournalRow.number)))  # type: ignore[arg-type]


def reason(error: Exception) -> str:
    """Give the trouble in the words of the system or of SQLite."""
    if isinstance(error, DatabaseError):
        return str(error.orig)
    return str(getattr(error, "strerror", None) or error)
