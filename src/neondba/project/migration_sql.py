"""The steps that one SQL statement takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from neondba.postgres.statement import (
    AlterTable,
    Change,
    ConstraintDef,
    CreateIndex,
    CreatePolicy,
    CreateTable,
    CreateTrigger,
    DropObjects,
    Maintain,
    Name,
    Rename,
    RowChange,
    Statement,
    Truncate,
)  # fmt: skip
from neondba.project.migration_step import Step
from neondba.project.schema_sql import SqlState, column_of
from neondba.project.schema_table import Table

CONSTRAINTS = frozenset({"foreign key", "unique", "primary key", "check", "exclude", "not null"})
OF_COLUMNS = frozenset(
    {"set not null", "drop not null", "drop column", "validate constraint", "drop constraint"}
)
OF_TABLES = frozenset({"attach partition", "set logged", "set unlogged", "set tablespace"})
MOMENTARY = frozenset(
    {"set default", "drop default", "enable rls", "force rls", "disable rls", "add identity"}
)
MAINTENANCE = frozenset({"vacuum full", "cluster", "reindex", "refresh"})

Make = Callable[..., Step]


def statement_steps(
    path: str, statement: Statement, tool: str | None, state: SqlState | None
) -> Iterator[Step]:
    """Give the steps that one statement takes, those inside a DO block or WITH too."""
    for one in statement.nested:
        yield from statement_steps(path, one, tool, state)
    yield from _own_steps(path, statement, tool, state)


def _own_steps(path: str, statement: Statement, tool: str | None, state: SqlState | None) -> Iterator[Step]:
    def step(kind: str, table: Name, line: int | None = None, **more: object) -> Step:
        return Step(kind, path, line or statement.line, table, tool, **more)  # type: ignore[arg-type]

    match statement.action:
        case CreateIndex() as index:
            yield step(
                "create index", index.table, name=index.name, columns=tuple(c or "…" for c in index.columns),
                concurrently=index.concurrently, unique=index.unique, if_exists=index.if_not_exists,
            )  # fmt: skip
        case AlterTable(table, changes):
            known = state.tables.get(table.key) if state else None
            for change in changes:
                yield from _change(path, step, table, change, known)
        case DropObjects("table" | "index" as kind, names) as drop:
            for name in names:
                owner = name if kind == "table" else _owner(state, name)
                yield step(
                    f"drop {kind}", owner, name=name.name, concurrently=drop.concurrently,
                    if_exists=drop.if_exists,
                )  # fmt: skip
        case Rename("table" | "column" as kind, table, old, new):
            there = state.tables.get(table.key) if state else None
            column = there.columns.get(old) if there else None
            yield step(f"rename {kind}", table, name=old, new=new, before=replace(column) if column else None)
        case CreateTable() | CreateTrigger() | CreatePolicy() as made:
            yield from _made(step, made)
        case RowChange() | Truncate() | Maintain() as action:
            yield from _rows(step, action, state)


def _made(step: Make, made: CreateTable | CreateTrigger | CreatePolicy) -> Iterator[Step]:
    if isinstance(made, CreateTable):
        kind = "create temporary" if made.temporary else "create table"
        yield step(kind, made.table, if_exists=made.if_not_exists)
        if not made.temporary:
            yield from _references(step, made)
    else:
        kind = "create trigger" if isinstance(made, CreateTrigger) else "change"
        yield step(kind, made.table, name=made.name)


def _rows(step: Make, action: RowChange | Truncate | Maintain, state: SqlState | None) -> Iterator[Step]:
    if isinstance(action, RowChange):
        yield step(action.kind, action.table, filtered=action.filtered, columns=action.columns)
    elif isinstance(action, Truncate):
        for table in action.tables:
            yield step("truncate", table, filtered=False)
    elif action.kind in MAINTENANCE:
        for name in action.names or (Name("…"),):
            table = _owner(state, name) if action.of == "index" else name
            yield step(action.kind, table, name=action.of, concurrently=action.concurrently)


def _references(step: Make, create: CreateTable) -> Iterator[Step]:
    """Give the foreign keys that a new table brings."""
    types = {column.name: column.type for column in create.columns}
    for column in create.columns:
        if other := column.references:
            yield step(
                "reference", create.table, column.line, columns=(column.name,), references=other.table,
                ref_columns=other.columns, type=column.type,
            )  # fmt: skip
    for constraint in create.constraints:
        if other := constraint.references:
            yield step(
                "reference", create.table, constraint.line, columns=constraint.columns,
                references=other.table, ref_columns=other.columns,
                type=types.get(constraint.columns[0]) if len(constraint.columns) == 1 else None,
            )  # fmt: skip


def _change(path: str, step: Make, table: Name, change: Change, known: Table | None) -> Iterator[Step]:
    column = known.columns.get(change.name or "") if known else None
    before = replace(column) if column else None
    if change.column:
        yield step(
            "add column", table, change.line, name=change.name, column=column_of(path, change.column),
            if_exists=change.if_exists,
        )  # fmt: skip
        if other := change.column.references:
            yield step(
                "reference", table, change.line, columns=(change.column.name,), references=other.table,
                ref_columns=other.columns, type=change.column.type,
            )  # fmt: skip
    elif change.constraint and change.constraint.kind in CONSTRAINTS:
        yield _added(step, table, change.line, change.constraint)
    elif change.kind == "alter type":
        yield step(
            change.kind, table, change.line, name=change.name, before=before, type=change.type,
            old_type=before.type if before else None, using=change.using,
        )  # fmt: skip
    elif change.kind in OF_COLUMNS or change.kind in OF_TABLES:
        yield step(change.kind, table, change.line, name=change.name, before=before)
    elif change.kind in MOMENTARY:
        yield step("change", table, change.line, name=change.name, before=before)


def _added(step: Make, table: Name, line: int, constraint: ConstraintDef) -> Step:
    other = constraint.references
    return step(
        f"add {constraint.kind}", table, line, name=constraint.name, columns=constraint.columns,
        references=other.table if other else None, ref_columns=other.columns if other else (),
        not_valid=constraint.not_valid, using_index=constraint.using_index,
        expression=constraint.expression,
    )  # fmt: skip


def _owner(state: SqlState | None, index: Name) -> Name:
    tables: Iterable[Table] = state.tables.values() if state else ()
    return next((t.name for t in tables if any(i.name == index.name for i in t.indexes)), index)
