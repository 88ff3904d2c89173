"""What an Alembic revision does, operation by operation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from neondba.postgres.statement import Name, Statement
from neondba.postgres.statements import parse
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.python_imports import Modules
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

    def truth(self, name: str) -> bool | None:
        """Give a boolean argument; `None` when absent or not constant."""
        node = self.arguments.get(name)
        return bool(node.value) if isinstance(node, ast.Constant) else None


def operations_of(file: PythonFile, name: str) -> list[Operation]:
    """Give the operations of a function of the revision, helpers it calls in the same file included."""
    functions = {f.name: f for f in file.functions if f.owner is None}
    start = functions.get(name)
    return list(_Walk(file, functions).function(start, set())) if start else []


class _Walk:
    """Goes through function bodies in order."""

    def __init__(self, file: PythonFile, functions: dict[str, Function]) -> None:
        self._file = file
        self._functions = functions
        self._types = TypeReader(PythonFiles({}, Modules([]), []))

    def function(self, function: Function, seen: set[str]) -> Iterator[Operation]:
        """Give the operations of one function."""
        if function.name not in seen:
            yield from self._body(function.node.body, {}, False, False, seen | {function.name})

    def _body(
        self,
        body: list[ast.stmt],
        batches: dict[str, Name | None],
        autocommit: bool,
        conditional: bool,
        seen: set[str],
    ) -> Iterator[Operation]:
        for node in body:
            if isinstance(node, ast.With):
                inner, commits = dict(batches), autocommit
                for item in node.items:
                    call = item.context_expr
                    if isinstance(call, ast.Call) and last_name(call) == "batch_alter_table":
                        alias = (
                            item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else "batch_op"
                        )
                        inner[alias] = _table_name(call.args[0] if call.args else None, keywords(call))
                    commits = commits or last_name(call) == "autocommit_block"
                yield from self._body(node.body, inner, commits, conditional, seen)
            elif isinstance(node, ast.If | ast.For | ast.While | ast.Try):
                parts = [node.body, getattr(node, "orelse", []), getattr(node, "finalbody", [])]
                for part in parts:
                    yield from self._body(part, batches, autocommit, True, seen)
            elif not isinstance(node, ast.FunctionDef | ast.ClassDef):
                for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
                    yield from self._call(call, batches, autocommit, conditional, seen)

    def _call(
        self,
        call: ast.Call,
        batches: dict[str, Name | None],
        autocommit: bool,
        conditional: bool,
        seen: set[str],
    ) -> Iterator[Operation]:
        function = call.func
        if isinstance(function, ast.Name) and function.id in self._functions:
            yield from self.function(self._functions[function.id], seen)
        if not isinstance(function, ast.Attribute):
            return
        owner = last_name(function.value)
        batch = owner in batches
        if owner == "op" or batch or function.attr == "execute":
            operation = self._operation(function.attr, call, batch, batches.get(owner))
            if operation is not None:
                yield replace(operation, autocommit=autocommit, conditional=conditional)

    def _operation(self, kind: str, call: ast.Call, batch: bool, table: Name | None) -> Operation | None:
        given = keywords(call)
        if kind == "f":
            return None
        arguments = list(call.args)
        name = None
        if kind == "execute":
            return Operation(kind, call.lineno, call, statements=tuple(_executed(call)))
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


def _executed(call: ast.Call) -> Iterator[Statement]:
    """Parse the SQL of `op.execute("…")`, also through `sa.text`."""
    node = call.args[0] if call.args else None
    if isinstance(node, ast.Call) and last_name(node) in ("text", "DDL") and node.args:
        node = node.args[0]
    if isinstance(node, ast.JoinedStr):
        parts = [str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values]
        text = "".join(parts)
    elif (found := text_of(node)) is not None and node is not None:
        text = found
    else:
        return
    yield from parse(text, node.lineno)


__all__ = ["ForeignKey", "Index", "Operation", "is_true", "operations_of"]
