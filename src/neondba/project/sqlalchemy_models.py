"""The tables that SQLAlchemy and SQLModel classes define."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from neondba.postgres.statement import Name
from neondba.project.places import is_migration
from neondba.project.python import Class, PythonFile, PythonFiles
from neondba.project.schema_table import Column, ForeignKey, Index, Table
from neondba.project.sqlalchemy_columns import CLASS_REFERENCE, ColumnReader
from neondba.project.sqlalchemy_table_args import TableArguments
from neondba.project.sqlalchemy_types import TypeReader, is_true, keywords, last_name, text_of

WORDS = ("sqlmodel", "sqlalchemy", "SQLAlchemy", "db.Model", "table=True", "__tablename__")
Place = tuple[PythonFile, Class]


class Models:
    """All model classes of a project."""

    def __init__(self, python: PythonFiles) -> None:
        self._python = python
        self._types = TypeReader(python)
        self._by_class: dict[str, Table] = {}

    def tables(self) -> list[Table]:
        """Give the table of every model class and every `Table(…)` object."""
        found: list[Table] = []
        for file in self._python.containing(*WORDS):
            if file.path.endswith(".pyi"):
                continue
            # A revision keeps the classes of its day, to move rows with; they define no table of today.
            for class_ in () if is_migration(file.path) else file.classes:
                if table := self._table(file, class_):
                    self._by_class[f"{file.module}.{class_.qualname}"] = table
                    found.append(table)
            found += self._core_tables(file)
        for file in self._python.containing(*WORDS):
            self._loose_indexes(file)
        for table in found:
            self._settle_references(table)
        return found

    def _table(self, file: PythonFile, class_: Class) -> Table | None:
        line_up = list(self._ancestors(file, class_))
        sqlmodel = is_true(class_.keyword("table"))
        if not sqlmodel and not self._is_mapped(class_, line_up):
            return None
        name = self._name(class_, line_up, sqlmodel)
        source = "sqlmodel" if sqlmodel else "sqlalchemy"
        table = Table(Name(name), file.path, class_.line, source, class_.name)
        mapping: dict[str, str | None] = {}
        for place, parent in reversed(line_up):
            mapping |= self._types.annotation_map(place, assigned(parent, "type_annotation_map"))
        attributes: dict[str, str] = {}
        for place, parent in reversed(line_up):
            reader = ColumnReader(place, self._types, mapping)
            for attribute, column in self._columns(reader, parent, sqlmodel):
                column.field = attribute if attribute != column.name else ""
                table.columns[column.name] = column
                attributes[attribute] = column.name
        if not table.columns:
            return None
        for place, parent in line_up:
            if TableArguments(place, table, attributes).read(parent):
                break
        return table

    def _is_mapped(self, class_: Class, line_up: list[Place]) -> bool:
        if is_true(assigned(class_, "__abstract__")) or not class_.bases:
            return False
        names = {last_name(b) for _, c in line_up for b in c.bases}
        declarative = bool(
            {"DeclarativeBase", "Model", "Base", "MappedAsDataclass", "DeclarativeBaseNoMeta"} & names
        )
        has_columns = any(
            (isinstance(a.value, ast.Call) and last_name(a.value) in ("Column", "mapped_column"))
            or (isinstance(a, ast.AnnAssign) and last_name(getattr(a.annotation, "value", None)) == "Mapped")
            for a in class_.assignments
        )  # fmt: skip
        if assigned(class_, "__tablename__") is not None:
            return declarative or has_columns
        names_itself = any(f.name == "__tablename__" for _, c in line_up for f in c.functions)
        return (has_columns and "Model" in names) or (has_columns and names_itself and declarative)

    def _name(self, class_: Class, line_up: list[Place], sqlmodel: bool) -> str:
        for _, parent in line_up:
            if name := text_of(assigned(parent, "__tablename__")):
                return name
        if sqlmodel:
            return class_.name.lower()
        for _, parent in line_up:
            for function in parent.functions:
                if function.name == "__tablename__":
                    text = ast.unparse(function.node)
                    plural = "s" if "'s'" in text else ""
                    if ".lower()" in text and "sub(" not in text:
                        return class_.name.lower() + plural
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_.name).lower()

    def _ancestors(self, file: PythonFile, class_: Class, depth: int = 0) -> Iterator[Place]:
        """Give a class and its project ancestors, nearest first."""
        yield file, class_
        if depth > 8:
            return
        for base in class_.bases:
            node = base.value if isinstance(base, ast.Subscript) else base
            found = self._python.definition(file.resolve(node))
            if found and isinstance(found[1], Class) and found[1] is not class_:
                yield from self._ancestors(found[0], found[1], depth + 1)

    def _columns(self, reader: ColumnReader, class_: Class, sqlmodel: bool) -> Iterator[tuple[str, Column]]:
        for node in class_.node.body:
            column = None
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                if name.startswith("__") or name in ("model_config", "metadata"):
                    continue
                read = reader.sqlmodel if sqlmodel else reader.sqlalchemy
                column = read(name, node.annotation, node.value, node.lineno)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not sqlmodel:
                name = node.targets[0].id
                column = reader.sqlalchemy(name, None, node.value, node.lineno)
            elif isinstance(node, ast.FunctionDef) and not sqlmodel:
                name = node.name
                column = self._declared(reader, node)
            if column is not None:
                yield name, column

    def _declared(self, reader: ColumnReader, node: ast.FunctionDef) -> Column | None:
        """Read a column that a `@declared_attr` method returns."""
        if not any(last_name(d) in ("declared_attr", "directive") for d in node.decorator_list):
            return None
        last = node.body[-1]
        value = last.value if isinstance(last, ast.Return) else None
        return reader.sqlalchemy(node.name, node.returns, value, node.lineno) if value else None

    def _core_tables(self, file: PythonFile) -> Iterator[Table]:
        """Read `users = Table("users", metadata, Column(…), …)`."""
        for node in file.index.module.assignments:
            call = node.value
            if not isinstance(call, ast.Call) or last_name(call) != "Table" or not call.args:
                continue
            name = text_of(call.args[0])
            schema = text_of(keywords(call).get("schema"))
            if name is None:
                continue
            table = Table(Name(name, schema), file.path, call.lineno, "sqlalchemy")
            reader = ColumnReader(file, self._types)
            for argument in call.args[2:]:
                if isinstance(argument, ast.Call) and last_name(argument) == "Column":
                    column = reader.sqlalchemy("", None, argument, argument.lineno)
                    if column is not None and column.name:
                        table.columns[column.name] = column
                else:
                    TableArguments(file, table, {}).add(argument)
            if table.columns:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                self._by_class[f"{file.module}.{last_name(target)}"] = table
                yield table

    def _loose_indexes(self, file: PythonFile) -> None:
        """Read `Index("name", Item.column)` outside classes."""
        for call in file.index.module.calls:
            if last_name(call) == "Index" and len(call.args) > 1 and isinstance(call.args[1], ast.Attribute):
                table = self._class_table(file.resolve(call.args[1].value) or "")
                if table is not None:
                    TableArguments(file, table, {}).add(call)

    def _class_table(self, qualified: str) -> Table | None:
        found = self._python.definition(qualified)
        if found and isinstance(found[1], Class):
            qualified = f"{found[0].module}.{found[1].qualname}"
        return self._by_class.get(qualified)

    def _settle_references(self, table: Table) -> None:
        for column in table.columns.values():
            reference = column.references
            if reference and reference.table.name.startswith(CLASS_REFERENCE):
                target = self._class_table(reference.table.name.removeprefix(CLASS_REFERENCE))
                name = target.name if target else Name(reference.table.name.rpartition(".")[2])
                column.references = replace(reference, table=name)


def assigned(class_: Class, name: str) -> ast.expr | None:
    """Give what a class body assigns to a name."""
    for node in class_.assignments:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            return node.value
    return None


__all__ = ["ForeignKey", "Index", "Models"]
