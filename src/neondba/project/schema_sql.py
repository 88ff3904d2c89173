"""The tables that SQL files leave behind, statement by statement."""

from __future__ import annotations

from collections.abc import Iterable

from neondba.postgres.statement import (
    AlterTable,
    Change,
    ColumnDef,
    ConstraintDef,
    CreateEnum,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    DropObjects,
    Name,
    Rename,
    Statement,
)  # fmt: skip
from neondba.project.schema_table import Column, ForeignKey, Index, Table
from neondba.project.sql import Role, SqlFile, SqlFiles


class SqlTables:
    """Tables, triggers and enums after all SQL files of the tree have run.

    Args:
        files: The SQL files.
        sources: Tools that write migrations from a schema elsewhere in the tree.
    """

    def __init__(self, files: SqlFiles, sources: set[str]) -> None:
        self.tables: list[Table] = []
        self.triggers: list[CreateTrigger] = []
        self.enums: set[str] = set()
        for history in files.histories:
            generated = history.tool in sources
            self._run((f for f in history.files if not f.backward), generated)
        for file in files.of(Role.SCHEMA, Role.DUMP):
            self._run([file], generated=False)

    def _run(self, files: Iterable[SqlFile], generated: bool) -> None:
        state = SqlState(generated)
        for file in files:
            for statement in file.statements:
                state.apply(file.path, statement)
                if isinstance(statement.action, CreateTrigger):
                    self.triggers.append(statement.action)
                elif isinstance(statement.action, CreateEnum):
                    self.enums.add(statement.action.name.key)
        self.tables += state.tables.values()


class SqlState:
    """The tables of one database while statements run against it."""

    def __init__(self, generated: bool = False) -> None:
        self.tables: dict[str, Table] = {}
        self._generated = generated

    def apply(self, path: str, statement: Statement) -> None:
        """Change the tables as a statement does."""
        for nested in statement.nested:
            self.apply(path, nested)
        match statement.action:
            case CreateTable(temporary=False) as create:
                self._create(path, statement.line, create)
            case AlterTable(table, changes):
                for change in changes:
                    self._change(path, self.known(path, statement.line, table), change)
            case CreateIndex() as index:
                self.known(path, statement.line, index.table).indexes.append(
                    Index(index.columns, path, statement.line, "index", index.name, index.unique,
                          index.where is not None, index.plain, index.method)
                )  # fmt: skip
            case DropObjects(kind, names):
                self._drop(kind, names)
            case Rename() as rename:
                self._rename(rename)

    def known(self, path: str, line: int, name: Name) -> Table:
        """Give the table; one that these files do not create is a fragment."""
        return self.tables.setdefault(
            name.key, Table(name, path, line, "sql", generated=self._generated, whole=False)
        )

    def _create(self, path: str, line: int, create: CreateTable) -> None:
        if create.if_not_exists and self.tables.get(create.table.key):
            return
        table = Table(
            create.table, path, line, "sql", generated=self._generated, whole=not create.copied,
            columns={c.name: column_of(path, c) for c in create.columns}, partitioned=create.partitioned,
        )  # fmt: skip
        for constraint in create.constraints:
            add_constraint(path, table, constraint)
        self.tables[create.table.key] = table

    def _change(self, path: str, table: Table, change: Change) -> None:
        column = table.columns.get(change.name or "")
        if change.column:
            table.columns.setdefault(change.column.name, column_of(path, change.column))
        elif change.constraint:
            add_constraint(path, table, change.constraint)
        elif change.kind == "drop column" and change.name:
            forget_column(table, change.name)
        elif change.kind == "drop constraint":
            table.foreign_keys = [f for f in table.foreign_keys if _default_name(table, f) != change.name]
            table.indexes = [i for i in table.indexes if i.name is None or i.name != change.name]
        elif column is not None:
            _alter_column(path, column, change)

    def _drop(self, kind: str, names: tuple[Name, ...]) -> None:
        for name in names:
            if kind == "table":
                self.tables.pop(name.key, None)
            elif kind == "index":
                for table in self.tables.values():
                    table.indexes = [i for i in table.indexes if i.name != name.name]

    def _rename(self, rename: Rename) -> None:
        table = self.tables.get(rename.table.key)
        if table is None:
            return
        if rename.kind == "table":
            self.rename_table(table, rename.new)
        elif rename.kind == "column" and rename.old in table.columns:
            rename_column(table, rename.old, rename.new)

    def rename_table(self, table: Table, new: str) -> None:
        """Give a table another name."""
        self.tables.pop(table.name.key, None)
        table.name = Name(new, table.name.schema)
        self.tables[table.name.key] = table


def column_of(path: str, definition: ColumnDef) -> Column:
    """Turn a column definition into a column."""
    return Column(
        definition.name, definition.type, path, definition.line, definition.nullable, definition.default,
        definition.default is not None or definition.generated, definition.primary_key, definition.unique,
        references=definition.references, checks=definition.checks, computed=definition.computed,
    )  # fmt: skip


def add_constraint(path: str, table: Table, constraint: ConstraintDef) -> None:
    """Add a constraint to a table."""
    if constraint.references:
        reference = constraint.references
        table.foreign_keys.append(
            ForeignKey(constraint.columns, reference.table, path, constraint.line, reference.on_delete,
                       reference.columns, constraint.name)
        )  # fmt: skip
    elif constraint.kind in ("primary key", "unique"):
        columns: tuple[str | None, ...] = constraint.columns
        if constraint.using_index:
            columns = next((i.columns for i in table.indexes if i.name == constraint.using_index), columns)
        table.indexes.append(
            Index(columns, path, constraint.line, constraint.kind, constraint.name, unique=True)
        )
    elif constraint.expression:
        table.checks.append(constraint.expression)


def forget_column(table: Table, name: str) -> None:
    """Drop a column with what depends on it."""
    table.columns.pop(name, None)
    table.foreign_keys = [f for f in table.foreign_keys if name not in f.columns]
    table.indexes = [i for i in table.indexes if name not in i.columns]


def rename_column(table: Table, old: str, new: str) -> None:
    """Rename a column in place, in the indexes and keys too."""
    table.columns = {(new if key == old else key): column for key, column in table.columns.items()}
    table.columns[new].name = new
    for index in table.indexes:
        index.columns = tuple(new if c == old else c for c in index.columns)
    for key in table.foreign_keys:
        key.columns = tuple(new if c == old else c for c in key.columns)


def _alter_column(path: str, column: Column, change: Change) -> None:
    if change.kind == "alter type" and change.type:
        column.type = change.type
        column.path, column.line = path, change.line
    elif change.kind in ("set not null", "drop not null"):
        column.nullable = change.kind == "drop not null"
    elif change.kind in ("set default", "drop default", "add identity"):
        column.database_default = change.kind != "drop default"


def _default_name(table: Table, key: ForeignKey) -> str:
    return key.name or f"{table.name.name}_{'_'.join(key.columns)}_fkey"
