"""What migrations do to tables, one form for SQL files and Alembic revisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from neondba.postgres.statement import SetParameter, Statement, Transaction
from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.migration_alembic import operation_steps
from neondba.project.migration_facts import fact_of
from neondba.project.migration_sql import statement_steps
from neondba.project.migration_step import Step
from neondba.project.schema_alembic import apply_operation
from neondba.project.schema_sql import SqlState
from neondba.project.schema_table import Table
from neondba.project.sql import SqlFile, SqlFiles

__all__ = ["MigrationSteps", "Step", "statement_steps"]

WRAPPED_BY = {
    "Alembic": True, "Drizzle": True, "goose or dbmate": True, "Flyway": True, "Supabase": True,
    "Prisma": True, "up and down files": True, "Atlas": True, "sqlx": True, "Diesel": True,
    "Knex": True, "yoyo": True,
}  # fmt: skip
"""Tools that run a file as one transaction, or send its statements together, which is the same."""
ALONE_IS_FREE = frozenset({"Prisma", "up and down files", "Flyway", "Supabase", "Atlas"})
"""Of these, tools under which a file with a single statement runs outside a transaction."""
NO_TRANSACTION = (
    "no transaction", "transaction:false", "notransaction", "no-transaction", "txmode none",
    "executeintransaction=false", "transaction: false", "run_in_transaction = false",
)  # fmt: skip


@dataclass
class MigrationSteps:
    """Every step of every migration, in the order in which they run."""

    steps: list[Step] = field(default_factory=list)

    @classmethod
    def gather(cls, sql: SqlFiles, alembic: AlembicHistory) -> MigrationSteps:
        """Read the histories of SQL files and of Alembic."""
        steps: list[Step] = []
        for history in sql.histories:
            state, checked = SqlState(), dict[str, set[str]]()
            for file in history.files:
                steps += _Run(state, checked, wrapped(file)).file(file)
        for versions in alembic.histories:
            state, checked = SqlState(), {}
            for revision in versions.ordered:
                steps += _Run(state, checked, True).revision(revision)
        return cls(steps)

    @cached_property
    def _by_path(self) -> dict[str, list[Step]]:
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.path, []).append(step)
        return found

    def of(self, path: str) -> list[Step]:
        """Give the steps of one migration, the way back included."""
        return self._by_path.get(path, [])

    def forward(self, *kinds: str) -> Iterator[Step]:
        """Give the steps of some kinds on the way forward, on tables that may be in use."""
        return (s for s in self.steps if s.kind in kinds and s.forward and not s.fresh)

    def live(self, *kinds: str) -> Iterator[Step]:
        """Give those on tables that may hold rows; Alembic's batch mode, for SQLite, left out."""
        return (s for s in self.forward(*kinds) if not (s.emptied or s.batch or s.barred))

    def demands(self, step: Step) -> bool:
        """Tell whether the same migration fails where the step's table holds a row."""
        return any(is_required(s) and s.table.key == step.table.key for s in self.of(step.path))


def is_required(step: Step) -> bool:
    """Tell whether rows that are there have no value for a new column that must have one."""
    column = step.column if step.kind == "add column" and step.forward and not step.emptied else None
    return column is not None and not column.nullable and not column.database_default and not step.fresh


def wrapped(file: SqlFile) -> bool | None:
    """Tell whether the tool runs a file inside a transaction; `None` where the tool is not known."""
    head = file.text[:4000].lower()
    if any(words in head for words in NO_TRANSACTION):
        return False
    if file.tool in ALONE_IS_FREE and len(file.statements) < 2:
        return False
    return WRAPPED_BY.get(file.tool or "")


class _Run:
    """One migration while it runs."""

    def __init__(self, state: SqlState, checked: dict[str, set[str]], inside: bool | None) -> None:
        self._state = state
        self._checked = checked
        self._inside = inside
        self._created: set[str] = set()
        self._emptied: set[str] = set()
        self._barred: set[str] = set()
        self._added: set[tuple[str, str | None]] = set()
        self._filled: set[tuple[str, str]] = set()
        self._gone: set[tuple[str, str | None]] = set()
        self._held: dict[str, Step] = {}
        self._patient = False

    def file(self, file: SqlFile) -> Iterator[Step]:
        """Run a SQL file forward, then give its way back."""
        for statement in file.statements:
            self._control(statement)
            yield from self._taken(statement_steps(file.path, statement, file.tool, self._state))
            self._state.apply(file.path, statement)
        for statement in file.down:
            for step in statement_steps(file.path, statement, file.tool, None):
                yield replace(step, forward=False)

    def revision(self, revision: Revision) -> Iterator[Step]:
        """Run a revision forward, then give its way back."""
        for operation in revision.upgrade:
            for statement in operation.statements:
                self._control(statement)
            outside, self._inside = self._inside, self._inside and not operation.autocommit
            yield from self._taken(operation_steps(revision.path, operation, self._state))
            self._inside = outside
            apply_operation(self._state, revision.path, operation)
        for operation in revision.downgrade:
            for step in operation_steps(revision.path, operation, None):
                yield replace(step, forward=False, wrapped=not operation.autocommit)

    def _control(self, statement: Statement) -> None:
        """Follow BEGIN, COMMIT and SET lock_timeout."""
        action = statement.action
        if isinstance(action, Transaction) and action.kind in ("begin", "commit", "rollback"):
            self._inside = action.kind == "begin"
            self._held.clear()
        named = isinstance(action, SetParameter) and action.name == "lock_timeout"
        called = "lock_timeout" in statement.text and "set_config" in statement.text
        self._patient = self._patient or named or called

    def _taken(self, steps: Iterable[Step]) -> Iterator[Step]:
        for step in steps:
            known = self._known(step)
            yield known
            self._note(known)

    def _known(self, step: Step) -> Step:
        key = step.table.key
        table = self._state.tables.get(key)
        return replace(
            self._referring(step, table),
            fresh=key in self._created,
            emptied=key in self._emptied,
            barred=key in self._barred,
            new_column=(key, step.name) in self._added,
            filled=(key, step.name) in self._filled,
            proven=self._is_proven(step),
            partitioned=bool(table and table.partitioned),
            wrapped=self._inside,
            behind=self._held.get(key) if self._inside is not False else None,
            patient=self._patient,
            known=bool(table and table.whole and table.columns),
            again=self._again(step, table),
        )

    def _again(self, step: Step, table: Table | None) -> str:
        """Say where a table, column or index was made that is now made once more."""
        if table is None or table.name.name != step.table.name:
            return ""
        if step.kind == "create index":
            index = next((i for i in table.indexes if i.name and i.name == step.name), None)
            return f"{index.path}:{index.line}" if index and step.if_exists else ""
        if not table.whole or not table.columns or (table.name.key, step.name) in self._gone:
            return ""
        if step.kind == "create table":
            return f"{table.path}:{table.line}"
        column = table.columns.get(step.name or "") if step.kind == "add column" else None
        return f"{column.path}:{column.line}" if column else ""

    def _referring(self, step: Step, table: Table | None) -> Step:
        """Add what the running picture knows of both ends of a foreign key, and of a named index."""
        if step.using_index and table is not None and not step.columns:
            index = next((i for i in table.indexes if i.name == step.using_index), None)
            step = replace(step, columns=tuple(c for c in index.columns if c) if index else ())
            nullable = (c for n in step.columns if (c := table.columns.get(n)) and c.nullable)
            return replace(step, before=next(nullable, None))
        if step.kind == "drop column" and step.before is None and table is not None:
            gone = table.columns.get(step.name or "")
            return replace(step, before=replace(gone) if gone else None)
        if step.references is None or len(step.columns) != 1:
            return step
        other = self._state.tables.get(step.references.key)
        if step.references.key == step.table.key:
            return step
        wanted = step.ref_columns or (other.primary_key if other else ())
        there = other.columns.get(wanted[0]) if other and len(wanted) == 1 else None
        own = table.columns.get(step.columns[0]) if table else None
        return replace(
            step, type=step.type or (own.type if own else None), ref_type=there.type if there else None,
            ref_known=other is not None,
        )  # fmt: skip

    def _note(self, step: Step) -> None:
        key = step.table.key
        if step.kind in ("create table", "create temporary"):
            self._created.add(key)
        elif step.kind in ("drop column", "drop table"):
            self._gone.add((key, step.name))
        elif step.kind == "add column":
            self._added.add((key, step.name))
            if is_required(step) and not step.if_exists:
                self._barred.add(key)
        elif step.kind in ("delete", "truncate") and not step.filtered:
            self._emptied.add(key)
        elif step.kind == "update":
            self._filled |= {(key, name) for name in step.columns or ("…",)}
        elif step.kind == "rename table" and key in self._created and step.new:
            self._created.add(replace(step.table, name=step.new).key)
        seen = fact_of(step)
        if step.wrapped and seen is not None and seen.reads_wait and not step.fresh:
            self._held.setdefault(key, step)

    def _is_proven(self, step: Step) -> bool:
        """Note validated constraints; tell whether one shows that the column holds no NULL."""
        checked = self._checked.setdefault(step.table.key, set())
        if step.kind == "validate constraint" or (step.kind == "add check" and not step.not_valid):
            checked.add(str(step.name))
        table = self._state.tables.get(step.table.key)
        if step.kind != "set not null" or table is None or not checked:
            return False
        wanted = f"{step.name} is not null".lower()
        return any(wanted in check.lower().replace('"', "") for check in table.checks)
