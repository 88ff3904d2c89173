"""What migrations do to tables, one form for SQL files and Alembic revisions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from neondba.postgres.statement import (
    AlterTable,
    Change,
    CreateIndex,
    CreateTable,
    DropObjects,
    Name,
    Rename,
    RowChange,
    Statement,
    Truncate,
)  # fmt: skip
from neondba.project.alembic_history import AlembicHistory, Revision
from neondba.project.alembic_operations import Operation
from neondba.project.schema_alembic import apply_operation
from neondba.project.schema_sql import SqlState, column_of
from neondba.project.schema_table import Column, Table
from neondba.project.sql import SqlFile, SqlFiles
from neondba.project.sqlalchemy_types import is_true, text_of

CONSTRAINT_OPERATIONS = {
    "create_foreign_key": "add foreign key", "create_unique_constraint": "add unique",
    "create_primary_key": "add primary key", "create_check_constraint": "add check",
}  # fmt: skip
PLAIN_OPERATIONS = {
    "drop_column": "drop column", "drop_table": "drop table", "drop_index": "drop index",
    "drop_constraint": "drop constraint", "add_column": "add column", "create_index": "create index",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One change to one table."""

    kind: str
    """`create index`, `add column`, `set not null`, `drop not null`, `alter type`, `add foreign key`,
    `add unique`, `add primary key`, `add check`, `validate constraint`, `drop column`, `drop table`,
    `drop index`, `drop constraint`, `rename column`, `rename table`, `update`, `delete` or `truncate`."""
    path: str
    line: int
    table: Name
    tool: str | None
    forward: bool = True
    fresh: bool = False
    """The same migration created the table earlier, so it is empty and nobody uses it yet."""
    new_column: bool = False
    """The same migration added the column earlier."""
    name: str | None = None
    """Column, index or constraint."""
    column: Column | None = None
    """The column that is added."""
    before: Column | None = None
    """The column as earlier migrations left it."""
    columns: tuple[str, ...] = ()
    references: Name | None = None
    concurrently: bool = False
    not_valid: bool = False
    using_index: bool = False
    type: str | None = None
    old_type: str | None = None
    using: str | None = None
    expression: str | None = None
    new: str | None = None
    """The new name."""
    unique: bool = False
    filtered: bool = True
    """An UPDATE or DELETE that has WHERE."""
    batch: bool = False
    """Inside Alembic's batch mode, which exists for SQLite."""
    proven: bool = False
    """A validated CHECK already shows that the column holds no NULL."""

    @property
    def alembic(self) -> bool:
        """Whether the migration is an Alembic revision."""
        return self.tool == "Alembic"


@dataclass
class MigrationSteps:
    """Every step of every migration, in the order in which they run."""

    steps: list[Step] = field(default_factory=list)

    @classmethod
    def gather(cls, sql: SqlFiles, alembic: AlembicHistory) -> MigrationSteps:
        """Read the histories of SQL files and of Alembic."""
        steps: list[Step] = []
        for history in sql.histories:
            reader = _SqlReader()
            for file in history.files:
                steps += reader.file(file)
        for versions in alembic.histories:
            state, checked = SqlState(), dict[str, set[str]]()
            for revision in versions.ordered:
                steps += _revision(state, revision, checked)
        return cls(steps)

    def forward(self, *kinds: str) -> Iterator[Step]:
        """Give the steps of some kinds on the way forward, on tables that may hold rows."""
        return (s for s in self.steps if s.kind in kinds and s.forward and not s.fresh)


class _SqlReader:
    """Walks through the files of one history."""

    def __init__(self) -> None:
        self._state = SqlState()
        self._checked: dict[str, set[str]] = {}

    def file(self, file: SqlFile) -> Iterator[Step]:
        created: set[str] = set()
        added: set[tuple[str, str | None]] = set()
        for statement in file.statements:
            for step in statement_steps(file.path, statement, file.tool, self._state):
                proven = _is_proven(step, self._state, self._checked)
                new = (step.table.key, step.name) in added
                yield replace(step, fresh=step.table.key in created, proven=proven, new_column=new)
                if step.kind == "add column":
                    added.add((step.table.key, step.name))
            self._state.apply(file.path, statement)
            if isinstance(statement.action, CreateTable):
                created.add(statement.action.table.key)
        for statement in file.down:
            for step in statement_steps(file.path, statement, file.tool, None):
                yield replace(step, forward=False)


def statement_steps(
    path: str, statement: Statement, tool: str | None, state: SqlState | None
) -> Iterator[Step]:
    """Give the steps that one statement takes."""
    action = statement.action

    def step(kind: str, table: Name, line: int | None = None, **more: object) -> Step:
        return Step(kind, path, line or statement.line, table, tool, **more)  # type: ignore[arg-type]

    match action:
        case CreateIndex() as index:
            yield step(
                "create index", index.table, name=index.name, columns=_keys(index),
                concurrently=index.concurrently, unique=index.unique,
            )  # fmt: skip
        case AlterTable(table, changes):
            known = state.tables.get(table.key) if state else None
            for change in changes:
                yield from _change(path, step, table, change, known)
        case DropObjects("table" | "index" as kind, names):
            for name in names:
                owner = name if kind == "table" else _owner(state, name)
                yield step(f"drop {kind}", owner, name=name.name, concurrently=action.concurrently)
        case Rename("table" | "column" as kind, table, old, new):
            yield step(f"rename {kind}", table, name=old, new=new)
        case RowChange() | Truncate():
            yield from _rows(step, action)


def _keys(index: CreateIndex) -> tuple[str, ...]:
    return tuple(c or "…" for c in index.columns)


def _rows(step: Callable[..., Step], action: RowChange | Truncate) -> Iterator[Step]:
    if isinstance(action, RowChange):
        yield step(action.kind, action.table, filtered=action.filtered, columns=action.columns)
        return
    for table in action.tables:
        yield step("truncate", table, filtered=False)


def _change(
    path: str, step: Callable[..., Step], table: Name, change: Change, known: Table | None
) -> Iterator[Step]:
    before = known.columns.get(change.name or "") if known else None
    if change.column:
        yield step("add column", table, change.line, name=change.name, column=column_of(path, change.column))
    elif (constraint := change.constraint) and constraint.kind in (
        "foreign key",
        "unique",
        "primary key",
        "check",
    ):
        yield step(
            f"add {constraint.kind}", table, change.line, name=constraint.name, columns=constraint.columns,
            references=constraint.references.table if constraint.references else None,
            not_valid=constraint.not_valid, using_index=constraint.using_index is not None,
            expression=constraint.expression,
        )  # fmt: skip
    elif change.kind == "alter type":
        old = before.type if before else None
        yield step(
            change.kind, table, change.line, name=change.name, before=before, type=change.type,
            old_type=old, using=change.using,
        )  # fmt: skip
    elif change.kind in (
        "set not null",
        "drop not null",
        "drop column",
        "validate constraint",
        "drop constraint",
    ):
        yield step(
            change.kind, table, change.line, name=change.name, before=replace(before) if before else None
        )


def _owner(state: SqlState | None, index: Name) -> Name:
    tables: Iterable[Table] = state.tables.values() if state else ()
    return next((t.name for t in tables if any(i.name == index.name for i in t.indexes)), index)


def _is_proven(step: Step, state: SqlState, checked: dict[str, set[str]]) -> bool:
    """Note validated constraints; tell whether one shows that the column holds no NULL."""
    if step.kind == "validate constraint":
        checked.setdefault(step.table.key, set()).add(str(step.name))
    table = state.tables.get(step.table.key)
    if step.kind != "set not null" or table is None or not checked.get(step.table.key):
        return False
    wanted = f"{step.name} is not null".lower()
    return any(wanted in check.lower().replace('"', "") for check in table.checks)


def _revision(state: SqlState, revision: Revision, checked: dict[str, set[str]]) -> Iterator[Step]:
    created: set[str] = set()
    added: set[tuple[str, str | None]] = set()
    for operation in revision.upgrade:
        for step in _operation(revision.path, operation, state):
            key = step.table.key
            proven = _is_proven(step, state, checked)
            new = (key, step.name) in added
            yield replace(step, fresh=key in created, proven=proven, new_column=new)
            if step.kind == "add column":
                added.add((key, step.name))
        apply_operation(state, revision.path, operation)
        if operation.kind == "create_table" and operation.table:
            created.add(operation.table.key)
        created |= {s.action.table.key for s in operation.statements if isinstance(s.action, CreateTable)}
    for operation in revision.downgrade:
        for step in _operation(revision.path, operation, None):
            yield replace(step, forward=False)


def _operation(path: str, operation: Operation, state: SqlState | None) -> Iterator[Step]:
    for statement in operation.statements:
        yield from statement_steps(path, statement, "Alembic", state)
        for nested in statement.nested:
            yield from statement_steps(path, nested, "Alembic", state)
    if operation.table is None:
        return
    given = operation.arguments
    kind = PLAIN_OPERATIONS.get(operation.kind) or CONSTRAINT_OPERATIONS.get(operation.kind, "")
    made = Step(
        kind, path, operation.line, operation.table, "Alembic", name=operation.name,
        column=operation.column, columns=operation.columns,
        references=operation.references, batch=_in_batch(operation),
        not_valid=is_true(given.get("postgresql_not_valid")), unique=is_true(given.get("unique")),
        concurrently=is_true(given.get("postgresql_concurrently")),
    )  # fmt: skip
    if operation.kind == "alter_column":
        yield from _altered(made, operation, state)
    elif operation.kind == "rename_table":
        arguments = operation.node.args
        new = text_of(arguments[1] if len(arguments) > 1 else given.get("new_table_name"))
        yield replace(made, kind="rename table", new=new, name=operation.table.name)
    elif made.kind:
        yield made


def _altered(made: Step, operation: Operation, state: SqlState | None) -> Iterator[Step]:
    table = state.tables.get(made.table.key) if state else None
    before = table.columns.get(made.name or "") if table else None
    before = replace(before) if before else None
    if operation.type is not None or "type_" in operation.arguments:
        old = operation.existing_type or (before.type if before else None)
        using = text_of(operation.arguments.get("postgresql_using"))
        yield replace(made, kind="alter type", before=before, type=operation.type, old_type=old, using=using)
    nullable = operation.truth("nullable")
    if nullable is not None and not (before is not None and before.nullable == nullable):
        yield replace(made, kind="drop not null" if nullable else "set not null", before=before)
    if new := text_of(operation.arguments.get("new_column_name")):
        yield replace(made, kind="rename column", new=new)


def _in_batch(operation: Operation) -> bool:
    function = operation.node.func
    return isinstance(function, ast.Attribute) and not (
        isinstance(function.value, ast.Name) and function.value.id == "op"
    )
