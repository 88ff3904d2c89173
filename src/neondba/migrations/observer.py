"""A second session that watches the branch while a migration tool works on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from neondba.migrations.measuring import Before, measured
from neondba.migrations.results import BLOCKS, Lock, Measured
from neondba.postgres.applied import without_passwords
from neondba.postgres.catalog import Catalog, diff, snapshot
from neondba.postgres.connect import Connection, Refused, ask
from neondba.postgres.contents import LARGEST, Bounds, Contents, contents
from neondba.postgres.seeding import Seeder
from neondba.postgres.seen import Difference, Level, NotSeeded
from neondba.postgres.shapes import shapes
from neondba.project.alembic_runner.runner import StepResult

_COLUMNS = re.compile(r"^(create table [^(]*)\(.*", re.IGNORECASE)


@dataclass(frozen=True)
class Picture:
    """The database at one moment: schema, rows, and which file each relation is in."""

    catalog: Catalog
    rows: Contents
    files: dict[int, tuple[str, int]]


@dataclass
class Observer:
    """Look at the branch, and keep it filled with rows of our making."""

    session: Connection
    own_tables: tuple[str, ...]
    """The migration tool's own tables."""
    owned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Tables whose rows are all ours, and the columns they had when we last added rows."""
    not_seeded: dict[str, NotSeeded] = field(default_factory=dict)
    not_compared: set[str] = field(default_factory=set)
    bounds: Bounds = field(default_factory=dict)
    """Of large tables, the last key whose row is compared."""
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def picture(self) -> Picture:
        """Take a picture; the tool's own tables are left out."""
        tables = [s for s in shapes(self.session).values() if s.name not in self.own_tables]
        rows = contents(self.session, tables, self.bounds)
        self.not_compared |= set(rows.too_large)
        found = ask(self.session, "filenodes")
        files = {int(str(f["oid"])): (str(f["name"]), int(str(f["filenode"]))) for f in found}
        return Picture(snapshot(self.session).without(self.own_tables), rows, files)

    def seed(self, *, nulls: bool = True) -> bool:
        """Fill empty tables; add rows where the columns have changed since ours were made.

        False when there was nothing to do.
        """
        seeder = Seeder(self.session)
        filled, failed = seeder.fill(self.own_tables, nulls=nulls)
        self.not_seeded = {n.table: n for n in failed}
        changed = bool(filled)
        for name in list(self.owned):
            shape = seeder.shapes.get(name)
            if shape is None:
                del self.owned[name]
            elif self.owned[name] != _columns(shape) and name not in filled:
                seeder.more(shape, nulls=nulls)
                changed = True
        for name in [*filled, *self.owned]:
            self.owned[name] = _columns(seeder.shapes[name])
        return changed

    def empty(self) -> bool:
        """Take our rows out again; false when there were none."""
        Seeder(self.session).empty(self.owned)
        had, self.owned = bool(self.owned), {}
        return had

    def look(self) -> None:
        """Note the locks that other sessions hold at this moment."""
        try:
            for row in ask(self.session, "locks"):
                if row["granted"] and row["mode"] in BLOCKS:
                    self._seen.add((str(row["name"]), str(row["mode"])))
        except Refused:
            return

    def measured(self, result: StepResult, before: Picture) -> list[Measured]:
        """Give what each statement did to the relations that were there before the step."""
        known = {name for name, _ in before.files.values()} - set(self.own_tables)
        files = {oid: node for oid, (_, node) in before.files.items()}
        return measured(result, Before(known, files, before.rows.rows, LARGEST))

    def locks(self, statements: Sequence[Measured], before: Picture) -> tuple[Lock, ...]:
        """Give the strongest lock on each relation that was there before the step."""
        known = {name for name, _ in before.files.values()} - set(self.own_tables)
        found: dict[str, Lock] = {}
        for number, statement in enumerate(statements):
            for lock in statement.locks:
                alone = lock.by_fact is not None
                rest = statements[number : number + 1] if alone else statements[number:]
                grows = _while_held(lock.relation, rest, alone)
                taken = _lock(lock.relation, lock.mode, short(statement.text), lock.seconds, grows)
                _keep(found, taken)
        for relation, mode in sorted(self._seen):
            if relation in known:
                _keep(found, _lock(relation, mode, None, None, None))
        self._seen = set()
        return tuple(found.values())

    def why_waiting(self, result: StepResult) -> str:
        """Say which statement a stopped step was in, and what it waited for."""
        rows = {row["pid"]: row for row in ask(self.session, "sessions")}
        busy = [r for r in rows.values() if r["state"] == "active"]
        own = next((r for r in busy if r["pid"] == result.session), busy[0] if busy else None)
        if own is None:
            return "while no statement was running: the migration's own Python code does not come back"
        text = f"in the statement: {short(str(own['statement']))}"
        blockers = [rows[p] for p in own["blocked_by"] if p in rows]
        if blockers:
            said = str(blockers[0]["statement"])
            if blockers[0]["pid"] == result.session and result.statements:
                # What the server saw last there was our own look at the locks.
                said = result.statements[-1].text
            return f"{text}; it waits for a lock held by a session whose last statement was: {short(said)}"
        waits = own["wait_event"]
        return (
            f"{text}; waiting for {own['wait_event_type']} {waits}" if waits else f"{text}; still computing"
        )

    def end_others(self) -> None:
        """End every other session of the branch's database."""
        for row in ask(self.session, "sessions"):
            try:
                self.session.execute("select pg_terminate_backend(%s, 5000)", [row["pid"]])
            except Refused:
                continue


def _columns(shape: Any) -> tuple[str, ...]:
    return tuple(column.name for column in shape.columns)


def _while_held(relation: str, statements: Iterable[Measured], alone: bool) -> str | None:
    """Give the first work on all rows that a statement does before the lock is let go."""
    for statement in statements:
        if statement.work and (alone or relation in statement.touches):
            return statement.work
    return None


def _lock(relation: str, mode: str, statement: str | None, held: float | None, grows: str | None) -> Lock:
    return Lock(
        relation=relation, mode=mode, blocks=BLOCKS[mode], statement=statement, held=held, grows=grows
    )


def _keep(found: dict[str, Lock], lock: Lock) -> None:
    order = list(BLOCKS)
    present = found.get(lock.relation)
    if present is None or order.index(lock.mode) < order.index(present.mode):
        found[lock.relation] = lock


def rewritten(before: Picture, after: Picture) -> tuple[str, ...]:
    """Name the relations that are the same but stand in a new file."""
    return tuple(
        sorted(
            name
            for oid, (name, node) in after.files.items()
            if before.files.get(oid, (name, node))[1] != node
        )
    )


def differences(before: Picture, after: Picture) -> list[Difference]:
    """Give the differences that matter."""
    return [d for d in diff(before.catalog, after.catalog) if d.level is Level.DIFFERENCE]


def short(text: str) -> str:
    """Give a statement on one line, without passwords and lists of columns."""
    text = " ".join(without_passwords(text).split())
    text = _COLUMNS.sub(r"\1(…)", text)
    return text if len(text) <= 90 else text[:89] + "…"
