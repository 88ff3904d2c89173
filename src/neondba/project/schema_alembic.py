"""The tables that Alembic revisions leave behind."""

from __future__ import annotations

from dataclasses import replace

from neondba.project.alembic_history import AlembicHistory
from neondba.project.alembic_operations import Operation
from neondba.project.schema_sql import SqlState, forget_column, rename_column
from neondba.project.schema_table import ForeignKey, Index, Table
from neondba.project.sqlalchemy_types import is_true, text_of


def alembic_tables(alembic: AlembicHistory, has_models: bool) -> list[Table]:
    """Run the upgrades of every history; with models beside them the result counts as generated."""
    tables: list[Table] = []
    for history in alembic.histories:
        state = SqlState(generated=has_models)
        for revision in history.ordered:
            for operation in revision.upgrade:
                apply_operation(state, revision.path, operation)
        tables += state.tables.values()
    for table in tables:
        table.source = "alembic"
        table.generated = has_models
    return tables


def apply_operation(state: SqlState, path: str, operation: Operation) -> None:
    """Change the tables as an operation does."""
    for statement in operation.statements:
        state.apply(path, statement)
    if operation.table is None:
        return
    if operation.created is not None:
        state.tables[operation.table.key] = operation.created.copy()
        return
    if operation.kind == "drop_table":
        state.tables.pop(operation.table.key, None)
        return
    table = state.known(path, operation.line, operation.table)
    _change(state, table, path, operation)


def _change(state: SqlState, table: Table, path: str, operation: Operation) -> None:
    kind, name = operation.kind, operation.name
    if kind == "add_column" and operation.column:
        table.columns[operation.column.name] = replace(operation.column)
    elif kind == "drop_column" and name:
        forget_column(table, name)
    elif kind == "alter_column" and name in table.columns:
        _alter(table, operation)
    elif kind == "create_index":
        columns = tuple(c or None for c in operation.columns)
        unique, partial = (
            is_true(operation.arguments.get("unique")),
            "postgresql_where" in operation.arguments,
        )
        method = text_of(operation.arguments.get("postgresql_using")) or "btree"
        table.indexes.append(
            Index(columns, path, operation.line, "index", name, unique, partial, None not in columns, method)
        )
    elif kind in ("create_unique_constraint", "create_primary_key"):
        what = "unique" if "unique" in kind else "primary key"
        table.indexes.append(Index(operation.columns, path, operation.line, what, name, unique=True))
    elif kind == "create_foreign_key" and operation.references:
        action = (text_of(operation.arguments.get("ondelete")) or "no action").lower()
        table.foreign_keys.append(
            ForeignKey(operation.columns, operation.references, path, operation.line, action, (), name)
        )
    elif kind in ("drop_index", "drop_constraint"):
        table.indexes = [i for i in table.indexes if i.name is None or i.name != name]
        table.foreign_keys = [f for f in table.foreign_keys if f.name is None or f.name != name]
    elif kind == "rename_table" and (
        new := text_of(operation.node.args[1] if len(operation.node.args) > 1 else None)
    ):
        state.rename_table(table, new)


def _alter(table: Table, operation: Operation) -> None:
    column = table.columns[str(operation.name)]
    nullable = operation.truth("nullable")
    column.nullable = column.nullable if nullable is None else nullable
    column.type = operation.type or column.type
    if new := text_of(operation.arguments.get("new_column_name")):
        rename_column(table, column.name, new)
