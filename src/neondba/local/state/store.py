"""Transactions over the tables: one server owns the file, and locks it."""

from __future__ import annotations

import errno
import os
import pkgutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel, create_engine, select

from neondba.local import state
from neondba.local.state.tables import UNFINISHED, OperationRow

R = TypeVar("R", bound=SQLModel)
RESERVED: Final = 1 << 20
"""Bytes that the file and its log may grow by on a full disk."""
PAGE: Final = 4096


class Rows:
    """The tables inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, kind: type[R], key: object) -> R | None:
        """Give the row with this key."""
        return self._session.get(kind, key)

    def all(self, kind: type[R], **equals: object) -> list[R]:
        """Give the rows whose columns have these values, oldest first."""
        return list(self._session.exec(select(kind).filter_by(**equals).order_by(_age(kind))))

    def first(self, kind: type[R], **equals: object) -> R | None:
        """Give the oldest of the rows whose columns have these values."""
        found = self.all(kind, **equals)
        return found[0] if found else None

    def last(self, kind: type[R], **equals: object) -> R | None:
        """Give the newest of the rows whose columns have these values."""
        query = select(kind).filter_by(**equals).order_by(_age(kind).desc()).limit(1)
        return self._session.exec(query).first()

    def unfinished(self, **equals: object) -> list[OperationRow]:
        """Give the operations that are not over, oldest first."""
        query = select(OperationRow).filter_by(**equals)
        query = query.where(OperationRow.status.in_(UNFINISHED))  # type: ignore[attr-defined]
        return list(self._session.exec(query.order_by(OperationRow.number)))  # type: ignore[arg-type]

    def add(self, *rows: SQLModel) -> None:
        """Add rows in this order, what is referred to first, and give them their numbers."""
        for row in rows:
            self._session.add(row)
            self._session.flush()

    def delete(self, *rows: SQLModel) -> None:
        """Delete rows."""
        for row in rows:
            self._session.delete(row)
            self._session.flush()


class State:
    """The file."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._engine = _engine(path)
        self._writing = threading.RLock()
        with _no_space(path):
            SQLModel.metadata.create_all(self._engine, tables=_tables())
        _reserve(self._engine)

    @contextmanager
    def change(self) -> Iterator[Rows]:
        """Open a transaction that is on disk when the body has ended without an error.

        Raises:
            OSError: the disk is full; nothing is changed.
        """
        with (
            self._writing,
            _no_space(self._engine.url.database),
            Session(self._engine, expire_on_commit=False) as session,
        ):
            yield Rows(session)
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Rows]:
        """Open a transaction that changes nothing; its rows may be used afterwards."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield Rows(session)
            session.expunge_all()

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()


def _age(kind: type[SQLModel]) -> Any:
    """Give the column that grows with time."""
    return next(getattr(kind, name) for name in ("number", "created_at", "hour") if hasattr(kind, name))


@contextmanager
def _no_space(path: object) -> Iterator[None]:
    """Turn SQLite's word for a full disk into the system's."""
    try:
        yield
    except OperationalError as error:
        if "disk is full" in str(error.orig):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        raise


def _tables() -> list[Any]:
    """Give the tables of every module in this folder, and no others: the journal's are not ours."""
    for module in pkgutil.iter_modules(state.__path__):
        import_module(f"{state.__name__}.{module.name}")
    kinds = (kind for kind in SQLModel.__subclasses__() if kind.__module__.startswith(f"{state.__name__}."))
    return [kind.__table__ for kind in kinds]  # type: ignore[attr-defined]


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={RESERVED // PAGE // 4}")

    return engine


def _reserve(engine: Engine) -> None:
    """Let the file and its log have room to spare: on a full disk a branch can then still be deleted."""
    with suppress(OperationalError), engine.connect() as connection:
        for statement in (
            "drop table if exists reserve",
            f"create table reserve as select zeroblob({RESERVED}) as room",
            "drop table reserve",
            "PRAGMA wal_checkpoint(RESTART)",
        ):
            connection.execute(text(statement))
            connection.commit()
