"""Act as one user against another's rows, in a role's session. Nothing stays."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from neondba.postgres.connect import Connection, trusted
from neondba.postgres.seen import Action, Attempt
from neondba.postgres.shapes import Column, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neondba.postgres.seeding import Values


@dataclass(frozen=True)
class Case:
    """One table with a row of A and a row of B, and what makes a session act as A."""

    shape: Shape
    owner: Column
    own: Values
    other: Values
    fresh: Values
    """Values of a new row for B that the table would accept."""
    acting: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """What came of trying one table."""

    attempts: tuple[Attempt, ...]
    own_visible: bool
    """True when A reads A's own row: else a refusal shows nothing."""
    denied: bool
    """True when the role has no right to the table at all."""
    without_user: bool
    """True when rows of B are read with no user set."""

    @property
    def open(self) -> list[Attempt]:
        """The tries that reached B."""
        return [attempt for attempt in self.attempts if attempt.open]


class Prober:
    """One session of the role that stands for the application."""

    def __init__(self, session: Connection) -> None:
        self._session = session

    def tried(self, cases: list[Case]) -> list[tuple[Case, Seen]]:
        """Try all four actions on each table."""
        # First: a setting that was ever set in a session is never null again.
        nobody = [self._select({}, case, case.other).open for case in cases]
        return [(case, self._one(case, without)) for case, without in zip(cases, nobody, strict=True)]

    def _one(self, case: Case, without_user: bool) -> Seen:
        table, owner, mine = _parts(case)
        other = [case.other[case.owner.name]]
        update = sql.SQL("update {} set {} = {} where {}").format(table, owner, owner, mine)
        delete = sql.SQL("delete from {} where {}").format(table, mine)
        names = [c.name for c in case.shape.columns if c.name in case.fresh]
        control = self._select(case.acting, case, case.own)
        return Seen(
            attempts=(
                self._select(case.acting, case, case.other),
                self._attempt(
                    Action.INSERT, case.acting, _insert(case, names), [case.fresh[n] for n in names]
                ),
                self._attempt(Action.UPDATE, case.acting, update, other),
                self._attempt(Action.DELETE, case.acting, delete, other),
            ),
            own_visible=control.open,
            denied="permission denied" in control.text,
            without_user=without_user,
        )

    def _select(self, acting: Mapping[str, str], case: Case, row: Values) -> Attempt:
        table, _, mine = _parts(case)
        count = sql.SQL("select count(*) as n from {} where {}").format(table, mine)
        return self._attempt(Action.SELECT, acting, count, [row[case.owner.name]])

    def _attempt(
        self, action: Action, acting: Mapping[str, str], statement: Any, values: list[Any]
    ) -> Attempt:
        try:
            with self._undone():
                for name, value in acting.items():
                    self._session.execute("select set_config(%s, %s, true)", [name, value])
                cursor = self._session.execute(statement, values)
                row = cursor.fetchone() if action is Action.SELECT else None
                reached = int(str(row["n"])) if row else cursor.rowcount
        except psycopg.errors.ForeignKeyViolation as error:
            return Attempt(action=action, open=True, text=f"only a foreign key stopped it: {_first(error)}")
        except psycopg.Error as error:
            return Attempt(action=action, open=False, text=f"refused: {_first(error)}")
        if reached == 0:
            return Attempt(action=action, open=False, text="reached no row")
        word = {"select": "read", "insert": "added", "update": "changed", "delete": "deleted"}[action]
        return Attempt(action=action, open=True, text=f"{word} {reached} row{'s' * (reached != 1)} of user B")

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Run in a transaction that is rolled back, whatever happens."""
        self._session.execute("begin")
        try:
            yield
        finally:
            self._session.execute("rollback")


def _parts(case: Case) -> tuple[sql.Composable, sql.Composable, sql.Composable]:
    """Give the table, its owner column, and the condition that a row is somebody's."""
    owner = sql.Identifier(case.owner.name)
    mine = sql.SQL("{} = cast(%s as {})").format(owner, sql.SQL(trusted(case.owner.type)))
    return sql.SQL(trusted(case.shape.name)), owner, mine


def _insert(case: Case, names: list[str]) -> sql.Composable:
    types = {c.name: c.type for c in case.shape.columns}
    return sql.SQL("insert into {} ({}) values ({})").format(
        sql.SQL(trusted(case.shape.name)),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.SQL("cast(%s as {})").format(sql.SQL(trusted(types[n]))) for n in names),
    )


def _first(error: psycopg.Error) -> str:
    return str(error).strip().split("\n")[0]
