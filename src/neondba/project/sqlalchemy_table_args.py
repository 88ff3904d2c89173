"""What stands in `__table_args__`: indexes, constraints and the schema."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from neondba.postgres.statement import Name
from neondba.project.python import Class, PythonFile
from neondba.project.schema_table import ForeignKey, Index, Table
from neondba.project.sqlalchemy_columns import reference_to
from neondba.project.sqlalchemy_types import is_true, keywords, last_name, text_of


@dataclass
class TableArguments:
    """Adds table arguments to a table."""

    file: PythonFile
    table: Table
    attributes: dict[str, str]
    """Attribute to column name."""

    def read(self, class_: Class) -> bool:
        """Add what a class's own `__table_args__` hold; False if it has none."""
        value: ast.expr | None = None
        for node in class_.node.body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                value = node.value if last_name(target) == "__table_args__" else value
            elif isinstance(node, ast.FunctionDef) and node.name == "__table_args__":
                value = next((s.value for s in node.body if isinstance(s, ast.Return)), None)
        if value is None:
            return False
        for part in value.elts if isinstance(value, ast.Tuple | ast.List) else [value]:
            self.add(part)
        return True

    def add(self, node: ast.expr) -> None:
        """Add one argument of a table."""
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if text_of(key) == "extend_existing":
                    self.table.extends = is_true(value)
                if text_of(key) == "schema" and (schema := text_of(value)):
                    self.table.name = Name(self.table.name.name, schema)
        elif isinstance(node, ast.Call):
            read = getattr(self, "_" + last_name(node).lower(), None)
            if read is not None:
                read(node)

    def _columns(self, nodes: list[ast.expr]) -> tuple[str | None, ...]:
        return tuple(self._column(node) for node in nodes)

    def _column(self, node: ast.expr) -> str | None:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("desc", "asc")
        ):
            node = node.func.value
        if isinstance(node, ast.Call) and last_name(node) in ("desc", "asc", "col") and node.args:
            node = node.args[0]
        name = node.value if isinstance(node, ast.Constant) else last_name(node)
        if isinstance(node, ast.Call) or not name:
            return None
        return self.attributes.get(str(name), str(name))

    def _index(self, call: ast.Call) -> None:
        given = keywords(call)
        named = call.args and (isinstance(call.args[0], ast.Constant | ast.JoinedStr))
        nodes = call.args[1:] if named else call.args
        self.table.indexes.append(
            Index(
                self._columns(nodes), self.file.path, call.lineno, "index",
                text_of(call.args[0]) if named else text_of(given.get("name")), is_true(given.get("unique")),
                "postgresql_where" in given,
                not {"postgresql_ops", "postgresql_include"} & set(given)
                and not any(isinstance(n, ast.Call) for n in nodes),
                text_of(given.get("postgresql_using")) or "btree",
            )
        )  # fmt: skip

    def _uniqueconstraint(self, call: ast.Call) -> None:
        name = text_of(keywords(call).get("name"))
        columns = self._columns(call.args)
        self.table.indexes.append(Index(columns, self.file.path, call.lineno, "unique", name, unique=True))

    def _primarykeyconstraint(self, call: ast.Call) -> None:
        columns = self._columns(call.args)
        self.table.indexes.append(Index(columns, self.file.path, call.lineno, "primary key", unique=True))

    def _checkconstraint(self, call: ast.Call) -> None:
        self.table.checks.append(text_of(call.args[0]) or ast.unparse(call) if call.args else "")

    def _foreignkeyconstraint(self, call: ast.Call) -> None:
        if len(call.args) < 2 or not all(isinstance(a, ast.List | ast.Tuple) for a in call.args[:2]):
            return
        own, other = ([text_of(e) or "" for e in a.elts] for a in call.args[:2])  # type: ignore[attr-defined]
        target = reference_to(other[0], text_of(keywords(call).get("ondelete"))) if other else None
        if target is not None:
            columns = tuple(self.attributes.get(name, name) for name in own)
            self.table.foreign_keys.append(
                ForeignKey(columns, target.table, self.file.path, call.lineno, target.on_delete,
                           tuple(o.rpartition(".")[2] for o in other))
            )  # fmt: skip
