"""The steps that one operation of Alembic takes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from neondba.project.alembic_operations import Operation
from neondba.project.migration_sql import statement_steps
from neondba.project.migration_step import Step
from neondba.project.schema_sql import SqlState
from neondba.project.sqlalchemy_types import is_true, keywords, last_name, text_of

KINDS = {
    "create_foreign_key": "add foreign key", "create_unique_constraint": "add unique",
    "create_primary_key": "add primary key", "create_check_constraint": "add check",
    "create_exclude_constraint": "add exclude", "create_table": "create table",
    "drop_column": "drop column", "drop_table": "drop table", "drop_index": "drop index",
    "drop_constraint": "drop constraint", "add_column": "add column", "create_index": "create index",
}  # fmt: skip


def operation_steps(path: str, operation: Operation, state: SqlState | None) -> Iterator[Step]:
    """Give the steps that one operation takes."""
    for statement in operation.statements:
        yield from statement_steps(path, statement, "Alembic", state)
    if operation.table is None:
        return
    given = operation.arguments
    made = Step(
        KINDS.get(operation.kind, ""), path, operation.line, operation.table, "Alembic", name=operation.name,
        column=operation.column, columns=operation.columns,
        references=operation.references, batch=_in_batch(operation),
        not_valid=is_true(given.get("postgresql_not_valid")), unique=is_true(given.get("unique")),
        concurrently=is_true(given.get("postgresql_concurrently")),
        ref_columns=_referred(operation), expression=_condition(operation),
        if_exists=operation.conditional or is_true(given.get("if_not_exists")),
    )  # fmt: skip
    if operation.kind == "alter_column":
        yield from _altered(made, operation, state)
    elif operation.kind == "rename_table":
        arguments = operation.node.args
        new = text_of(arguments[1] if len(arguments) > 1 else given.get("new_table_name"))
        yield replace(made, kind="rename table", new=new, name=operation.table.name)
    elif made.kind:
        yield made
        yield from _references(made, operation)


def _references(made: Step, operation: Operation) -> Iterator[Step]:
    """Give the foreign keys that a new table or column brings."""
    table = operation.created
    columns = list(table.columns.values()) if table else [operation.column] if operation.column else []
    for column in columns:
        if other := column.references:
            yield replace(
                made, kind="reference", name=None, column=None, line=column.line if table else made.line,
                columns=(column.name,), references=other.table, ref_columns=other.columns, type=column.type,
            )  # fmt: skip
    for key in table.foreign_keys if table else ():
        own = table.columns.get(key.columns[0]) if table and len(key.columns) == 1 else None
        yield replace(
            made, kind="reference", line=key.line, columns=key.columns, references=key.table,
            ref_columns=key.ref_columns, type=own.type if own else None,
        )  # fmt: skip


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
    if "server_default" in operation.arguments:
        yield replace(made, kind="change", before=before)


def _referred(operation: Operation) -> tuple[str, ...]:
    """Give the columns that a foreign key refers to."""
    if operation.kind != "create_foreign_key":
        return ()
    arguments = operation.node.args
    skipped = 3 if _in_batch(operation) else 4
    node = arguments[skipped] if len(arguments) > skipped else operation.arguments.get("remote_cols")
    return tuple(t for e in node.elts if (t := text_of(e))) if isinstance(node, ast.List | ast.Tuple) else ()


def _condition(operation: Operation) -> str | None:
    if operation.kind != "create_check_constraint":
        return None
    skipped = 1 if _in_batch(operation) else 2
    arguments = operation.node.args
    return text_of(
        arguments[skipped] if len(arguments) > skipped else keywords(operation.node).get("condition")
    )


def _in_batch(operation: Operation) -> bool:
    function = operation.node.func
    return isinstance(function, ast.Attribute) and last_name(function.value) != "op"
