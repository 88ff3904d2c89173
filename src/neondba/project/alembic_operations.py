"""What an Alembic revision does, operation by operation."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from neondba.postgres.statement import Name, RowChange, Statement
from neondba.postgres.statements import parse
from neondba.project.alembic_values import UNKNOWN
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.schema_table import Column, ForeignKey, Index, Table
from neondba.project.sqlalchemy_columns import ColumnReader
from neondba.project.sqlalchemy_table_args import TableArguments
from neondba.project.sqlalchemy_types import TypeReader, is_true, keywords, last_name, text_of

TABLE_FIRST = frozenset(
    {
        "add_column",
        "drop_column",
        "alter_column",
        "create_table",
        "drop_table",
        "rename_table",
        "batch_alter_table",
        "create_table_comment",
        "bulk_insert",
    }
)
NAME_FIRST = frozenset(
    {
        "create_index",
        "drop_index",
        "create_foreign_key",
        "create_unique_constraint",
        "create_check_constraint",
        "create_primary_key",
        "drop_constraint",
        "create_exclude_constraint",
    }
)
EXECUTES = frozenset({"execute", "exec_driver_sql", "scalar", "scalars"})
TABLE_WORDS = ("table_name", "source_table", "tablename", "source")


@dataclass(frozen=True)
class Operation:
    """One call of `op`, in the order of the text."""

    kind: str
    """The operation's name: `add_column`, `execute`, …"""
    line: int
    node: ast.Call = field(repr=False)
    table: Name | None = None
    name: str | None = None
    """Column, index or constraint."""
    column: Column | None = None
    arguments: dict[str, ast.expr] = field(default_factory=dict, repr=False)
    statements: tuple[Statement, ...] = ()
    """What `execute` runs, with lines of the file."""
    created: Table | None = field(default=None, repr=False)
    columns: tuple[str, ...] = ()
    references: Name | None = None
    autocommit: bool = False
    """Inside `autocommit_block()`."""
    conditional: bool = False
    """Inside an `if` or `try`."""
    type: str | None = None
    """The new type of `alter_column`."""
    existing_type: str | None = None
    values: dict[str, ast.expr] = field(default_factory=dict, repr=False)
    """What local names stood for."""

    def truth(self, name: str) -> bool | None:
        """Give a boolean argument; `None` when absent or not constant."""
        node = self.arguments.get(name)
        return bool(node.value) if isinstance(node, ast.Constant) else None


class CallReader:
    """Reads single calls of one file."""

    def __init__(self, file: PythonFile, python: PythonFiles) -> None:
        self._file = file
        self._types = TypeReader(python)

    def read(self, call: ast.Call, batch: bool, table: Name | None) -> Operation | None:
        """Give the operation that a call of `op`, of a batch or of a connection is."""
        kind = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if kind in EXECUTES:
            return _execution(call)
        return None if kind == "f" else self._operation(kind, call, batch, table)

    def _operation(self, kind: str, call: ast.Call, batch: bool, table: Name | None) -> Operation | None:
        given = keywords(call)
        arguments = list(call.args)
        name = None
        if not batch:
            if kind in NAME_FIRST:
                name = text_of(arguments[0]) if arguments else None
                table = _table_name(arguments[1] if len(arguments) > 1 else None, given)
                arguments = arguments[2:]
            elif kind in TABLE_FIRST:
                table = _table_name(arguments[0] if arguments else None, given)
                arguments = arguments[1:]
        elif kind in NAME_FIRST:
            name = text_of(arguments[0]) if arguments else None
            arguments = arguments[1:]
        made = Operation(kind, call.lineno, call, table, name, arguments=given)
        return self._detail(made, arguments)

    def _detail(self, made: Operation, rest: list[ast.expr]) -> Operation:
        given, reader = made.arguments, ColumnReader(self._file, self._types)
        first = rest[0] if rest else None
        if made.kind == "create_table":
            return replace(made, created=self._created(made, rest))
        if made.kind == "add_column":
            found = first if first is not None else given.get("column")
            column = reader.sqlalchemy("", None, found, found.lineno) if found is not None else None
            return replace(made, column=column, name=column.name if column else None)
        if made.kind == "alter_column":
            return replace(
                made, name=text_of(first if first is not None else given.get("column_name")),
                type=self._types.sa_type(self._file, given.get("type_")),
                existing_type=self._types.sa_type(self._file, given.get("existing_type")),
            )  # fmt: skip
        if made.kind == "drop_column":
            return replace(made, name=text_of(first if first is not None else given.get("column_name")))
        if made.kind == "create_foreign_key":
            other = text_of(first if first is not None else given.get("referent_table"))
            local = rest[1] if len(rest) > 1 else given.get("local_cols")
            return replace(made, references=Name(other) if other else None, columns=_names(local))
        columns = first if first is not None else given.get("columns")
        return replace(made, columns=_names(columns))

    def _created(self, made: Operation, rest: list[ast.expr]) -> Table | None:
        if made.table is None:
            return None
        table = Table(made.table, self._file.path, made.line, "alembic")
        reader = ColumnReader(self._file, self._types)
        for argument in rest:
            if isinstance(argument, ast.Call) and last_name(argument) == "Column":
                column = reader.sqlalchemy("", None, argument, argument.lineno)
                if column is not None and column.name:
                    table.columns[column.name] = column
            elif isinstance(argument, ast.Starred):
                table.whole = False
            else:
                TableArguments(self._file, table, {}).add(argument)
        return table


def _table_name(node: ast.expr | None, given: dict[str, ast.expr]) -> Name | None:
    text = text_of(node) or next((t for w in TABLE_WORDS if (t := text_of(given.get(w)))), None)
    return Name(text, text_of(given.get("schema"))) if text else None


def _names(node: ast.expr | None) -> tuple[str, ...]:
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(
            t if (t := text_of(e)) and e is not None and not isinstance(e, ast.Call) else ""
            for e in node.elts
        )
    return ()


def _execution(call: ast.Call) -> Operation:
    """Read what `op.execute("…")` or a connection runs: text, or an expression of SQLAlchemy."""
    node = call.args[0] if call.args else next((k.value for k in call.keywords), None)
    if isinstance(node, ast.Call) and last_name(node) in ("text", "DDL") and node.args:
        node = node.args[0]
    if isinstance(node, ast.JoinedStr):
        parts = [str(v.value) if isinstance(v, ast.Constant) else UNKNOWN for v in node.values]
        return Operation("execute", call.lineno, call, statements=tuple(parse("".join(parts), node.lineno)))
    if (text := text_of(node)) is not None and node is not None:
        return Operation("execute", call.lineno, call, statements=tuple(parse(text, node.lineno)))
    changed = _row_change(node)
    if changed is None:
        return Operation("execute", call.lineno, call)
    statement = Statement(changed.kind.upper(), call.lineno, call.lineno, ast.unparse(call), changed)
    return Operation("execute", call.lineno, call, statements=(statement,))


def _row_change(node: ast.expr | None) -> RowChange | None:
    """Read `sa.update(users).where(…).values(…)` and `users.delete()`."""
    methods: list[str] = []
    columns: tuple[str, ...] = ()
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        methods.append(node.func.attr)
        if node.func.attr == "values":
            columns = tuple(keywords(node))
        if node.func.attr in ("update", "delete"):
            target = node.args[0] if node.args else node.func.value
            if isinstance(target, ast.Call) and last_name(target) in ("table", "Table") and target.args:
                table = _table_name(target.args[0], keywords(target))
                return (
                    None if table is None else RowChange(node.func.attr, table, "where" in methods, columns)
                )
            return None
        node = node.func.value
    return None


__all__ = ["CallReader", "ForeignKey", "Index", "Operation", "is_true"]
