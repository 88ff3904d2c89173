"""Look at a database as other roles do: nothing is kept, and no row is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from neondba.core.problem import Problem
from neondba.core.secret import Secret
from neondba.postgres.connect import Connection, Refused, connect, trusted
from neondba.postgres.role_password import set_unseen
from neondba.postgres.roles import url_of


@dataclass(frozen=True)
class Look:
    """What came of one statement that was sent as a role."""

    acted: bool
    """False where this session may not act as the role at all."""
    value: Any
    refusal: str
    """What the server said, if it refused; empty where it answered."""


@dataclass(frozen=True)
class Copy:
    """A throw-away copy of the branch, on which any role may be logged in with."""

    session: Connection
    """Of the owner."""
    direct: Secret
    password: Secret
    """For roles that the owner may give one."""
    url_of: Callable[[str], Secret]
    """Gives the address of a role that the platform made."""


class Actor:
    """Act as roles: by SET ROLE in a transaction that only reads, or on a copy by logging in."""

    def __init__(self, session: Connection, copy: Copy | None = None) -> None:
        self._session, self._copy = session, copy
        self._open = ExitStack()
        self._logins: dict[str, Connection | str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def policies_count(self, role: str, table: str) -> Look:
        """Ask, as a role, whether a table's policies count for it."""
        return self._as(role, sql.SQL("select pg_catalog.row_security_active({})").format(table))

    def reads(self, role: str, table: str) -> Look:
        """Read a table as a role: whether a row is there, and none of it."""
        return self._as(role, sql.SQL("select exists (select from {})").format(sql.SQL(trusted(table))))

    def holds(self, role: str, kind: str, name: str, privilege: str) -> Look:
        """Ask, as a role, whether it has a right."""
        return self._as(role, sql.SQL("select {}({}, {})").format(_check(kind), name, privilege))

    def makes_table(self, role: str, schema: str) -> Look:
        """Make a table as a role and undo it; on a copy only."""
        made = sql.SQL("create table {}.neondba_try ()").format(sql.SQL(trusted(schema)))
        return self._on_copy(role, made)

    def becomes(self, role: str, target: str, *, granting: bool = False) -> Look:
        """Log in as a role and act as another, which it may have to grant to itself; on a copy only."""
        steps = [sql.SQL("set local role {}").format(sql.Identifier(target))]
        if granting:
            to = sql.Identifier(role)
            steps.insert(0, sql.SQL("grant {} to {} with set true").format(sql.Identifier(target), to))
        return self._on_copy(role, *steps)

    def server_says(self, role: str, kind: str, name: str, privilege: str) -> bool:
        """Ask, as ourselves, whether a role has a right."""
        asked = sql.SQL("select {}({}, {}, {}) as it").format(_check(kind), role, name, privilege)
        with undone(self._session):
            row = self._session.execute(asked).fetchone()
        return bool(row and row["it"])

    def _as(self, role: str, statement: sql.Composed) -> Look:
        if self._copy is not None:
            return self._on_copy(role, statement)
        with undone(self._session):
            try:
                self._session.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            except Refused as error:
                return Look(False, None, first_line(error))
            return _look(self._session, statement)

    def _on_copy(self, role: str, *statements: sql.Composed) -> Look:
        if self._copy is None:
            return Look(False, None, "only with --prove")
        session = self._logged_in(self._copy, role)
        if isinstance(session, str):
            return Look(False, None, session)
        with undone(session, writing=True):
            looks = [_look(session, each) for each in statements]
        return next((each for each in looks if each.refusal), looks[-1])

    def _logged_in(self, copy: Copy, role: str) -> Connection | str:
        """Give a session of a role on the copy, or why there is none."""
        if role not in self._logins:
            try:
                url = self._address(copy, role)
                self._logins[role] = self._open.enter_context(connect(url, limit=30))
            except Problem as problem:
                self._logins[role] = problem.message
        return self._logins[role]

    def _address(self, copy: Copy, role: str) -> Secret:
        if role == copy.session.info.user:
            return copy.direct
        try:
            set_unseen(copy.session, role, copy.password)
        except Refused:
            return copy.url_of(role)
        return url_of(copy.direct, role, copy.password)


@contextmanager
def undone(session: Connection, *, writing: bool = False) -> Iterator[None]:
    """Hold a transaction that is rolled back, and that only reads unless told otherwise."""
    session.execute("begin" if writing else "begin read only")
    try:
        # With an empty path, Postgres qualifies every name it prints.
        session.execute("set local search_path = ''")
        yield
    finally:
        with suppress(psycopg.Error):
            session.execute("rollback")


def first_line(error: psycopg.Error) -> str:
    """Give the first line of what the server said."""
    return str(error).strip().partition("\n")[0]


def _look(session: Connection, statement: sql.Composed) -> Look:
    try:
        done = session.execute(statement)
    except Refused as error:
        return Look(True, None, first_line(error))
    row = done.fetchone() if done.description else None
    return Look(True, next(iter(row.values())) if row else None, "")


def _check(kind: str) -> sql.SQL:
    return sql.SQL(trusted(f"pg_catalog.has_{kind}_privilege"))
