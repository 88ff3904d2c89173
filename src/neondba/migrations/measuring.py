"""What each statement of a step did: time, log, locks, files, rows; and why a wait for it grows.

All of it is measured on the branch. Only where a statement stands in no transaction, so that its locks
are gone when it ends, or where a table has no rows, the executed facts say what PostgreSQL does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from neondba.migrations.results import BLOCKS, HeldBy, Measured
from neondba.postgres.facts import Fact
from neondba.postgres.statement import AlterTable, CreateIndex, RowChange, Truncate
from neondba.postgres.statements import parse
from neondba.project.alembic_runner.runner import Executed, HeldLock, StepResult
from neondba.project.migration_facts import fact_of
from neondba.project.migration_sql import statement_steps

CHECKED = "until every row is checked"
BUILT = "until the index is built"
WRITTEN = "until the table is written anew"
STRONGEST = list(BLOCKS)
READERS = ("ALTER", "CREATE", "REINDEX", "CLUSTER", "REFRESH")


@dataclass(frozen=True)
class Before:
    """What was known of the relations before the step."""

    names: Collection[str]
    """Those that count: the tool's own tables are left out."""
    files: dict[int, int]
    """File node by oid."""
    rows: dict[str, int]
    """Rows by relation, where they were counted."""
    many: int
    """Rows of a relation that was not counted, at least."""


@dataclass
class _Transaction:
    """What the running transaction has done so far."""

    moment: float | None = None
    modes: dict[str, str] = field(default_factory=dict)
    counted: dict[int, HeldLock] = field(default_factory=dict)


def measured(result: StepResult, before: Before) -> list[Measured]:
    """Give what each statement did, in order; those that failed or were stopped have no time."""
    found: list[Measured] = []
    files = dict(before.files)
    wal = result.wal
    transaction = _Transaction()
    for number, statement in enumerate(result.statements):
        if statement.moment is None or statement.moment != transaction.moment:
            transaction = _Transaction(statement.moment)
        seen = _Seen(statement, before, transaction, files)
        length = None if wal is None or statement.wal is None else statement.wal - wal
        wal = statement.wal if statement.wal is not None else wal
        found.append(
            Measured(
                text=statement.text,
                seconds=statement.seconds,
                wal=length,
                rows=seen.rows,
                read=seen.read,
                rewritten=tuple(seen.rewritten),
                work=seen.work(),
                touches=tuple(sorted({k.relation for k in statement.locks} & set(before.names))),
                patient=statement.patient,
                locks=tuple(seen.locks(_until_end(result.statements[number:]))),
            )
        )
        transaction.counted |= {lock.oid: lock for lock in statement.locks}
    return found


def _until_end(rest: Sequence[Executed]) -> float:
    """Add up the time from a statement's start to the end of its transaction."""
    total = 0.0
    for statement in rest:
        if statement.moment != rest[0].moment and statement.seconds is not None:
            break
        total += statement.seconds or 0.0
    return total


class _Seen:
    """One statement beside what was there before it."""

    def __init__(
        self, statement: Executed, before: Before, transaction: _Transaction, files: dict[int, int]
    ) -> None:
        self._statement, self._before, self._transaction = statement, before, transaction
        self._parsed = [one for whole in parse(statement.text) for one in (whole, *whole.nested)]
        self.rows = 0
        self.read: dict[str, int] = {}
        self.rewritten: list[str] = []
        self._updated = self._deleted = False
        for lock in {lock.oid: lock for lock in statement.locks}.values():
            if lock.relation in before.names or lock.oid in files:
                self._count(lock, files)

    def _count(self, lock: HeldLock, files: dict[int, int]) -> None:
        had = self._transaction.counted.get(lock.oid, HeldLock(oid=lock.oid, relation="", mode=""))
        if lock.relation in self._before.names:
            updated, deleted = lock.updated - had.updated, lock.deleted - had.deleted
            self.rows += updated + deleted + lock.inserted - had.inserted
            self._updated, self._deleted = self._updated or updated > 0, self._deleted or deleted > 0
        if lock.read > had.read:
            self.read[lock.relation] = lock.read - had.read
        emptied = any(isinstance(one.action, Truncate) for one in self._parsed)
        if lock.file and files.get(lock.oid, lock.file) != lock.file and not emptied:
            self.rewritten.append(lock.relation)
        files[lock.oid] = lock.file

    def work(self) -> str | None:
        """Say what it does to all rows of a table; nothing where its time does not depend on them."""
        if self.rewritten:
            return WRITTEN
        if any(isinstance(one.action, RowChange) for one in self._parsed):
            if self._updated or self._deleted:
                return f"until rows are {'updated' if self._updated else 'deleted'}"
        elif self._reads_whole():
            return BUILT if self._builds() else CHECKED
        return self._by_facts()

    def _reads_whole(self) -> bool:
        if not any(one.kind.startswith(READERS) for one in self._parsed):
            return False
        return any(
            read >= max(1, self._before.rows.get(name, self._before.many))
            for name, read in self.read.items()
            if name in self._before.names
        )

    def _builds(self) -> bool:
        for one in self._parsed:
            if isinstance(one.action, CreateIndex) or one.kind.startswith("REINDEX"):
                return True
            changes = one.action.changes if isinstance(one.action, AlterTable) else ()
            kinds = {change.constraint.kind for change in changes if change.constraint}
            if kinds & {"unique", "primary key", "exclude"}:
                return True
        return False

    def _by_facts(self) -> str | None:
        """Ask the executed facts where nothing could be measured: no rows, or no transaction."""
        for name, fact in self._facts():
            unseen = not self._statement.locks or self._before.rows.get(name, self._before.many) == 0
            if fact.grows and unseen:
                return WRITTEN if fact.rewrites else BUILT if self._builds() else CHECKED
        return None

    def _facts(self) -> Iterator[tuple[str, Fact]]:
        for one in self._parsed:
            for step in statement_steps("", one, None, None):
                found = fact_of(step)
                name = self._known(step.table.name, step.table.schema)
                if found is not None and name is not None:
                    yield name, found

    def _known(self, name: str, schema: str | None) -> str | None:
        for known in sorted(self._before.names):
            its_schema, _, its_name = known.partition(".")
            if its_name.strip('"') == name and schema in (None, its_schema.strip('"')):
                return known
        return None

    def locks(self, until_end: float) -> Iterator[HeldBy]:
        """Give the locks that it took itself: stronger ones than its transaction held already."""
        strongest: dict[str, str] = {}
        for lock in self._statement.locks:
            if lock.relation in self._before.names and lock.mode in BLOCKS:
                strongest[lock.relation] = _stronger(strongest.get(lock.relation), lock.mode)
        for relation, mode in strongest.items():
            held = self._transaction.modes.get(relation)
            if held is None or _stronger(held, mode) != held:
                self._transaction.modes[relation] = mode
                yield HeldBy(relation=relation, mode=mode, seconds=until_end)
        if not self._statement.locks and self._statement.seconds is not None:
            for name, fact in self._facts():
                if fact.lock in BLOCKS and not fact.in_transaction:
                    yield HeldBy(relation=name, mode=str(fact.lock), seconds=until_end, by_fact=fact.id)


def _stronger(one: str | None, other: str) -> str:
    return other if one is None or STRONGEST.index(other) < STRONGEST.index(one) else one
