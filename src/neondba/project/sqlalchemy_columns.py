"""Columns of SQLAlchemy and SQLModel classes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from neondba.postgres.statement import Name, References
from neondba.project.python import PythonFile
from neondba.project.schema_table import Column
from neondba.project.sqlalchemy_types import Annotated, TypeReader, is_true, keywords, last_name, text_of

COLUMN_CALLS = frozenset({"Column", "mapped_column", "MappedColumn"})
NO_TYPES = frozenset(
    {"ForeignKey", "Identity", "Computed", "Sequence", "CheckConstraint", "FetchedValue", "DefaultClause"}
)
BOUNDS = ("ge", "gt", "le", "lt")
CLASS_REFERENCE = "class "
"""Marks a foreign key given as `ForeignKey(User.id)` until the class's table is known."""


@dataclass
class ColumnReader:
    """Reads the column definitions of one class."""

    file: PythonFile
    types: TypeReader
    mapping: Mapping[str, str | None] = field(default_factory=dict)
    """The declarative base's own types for annotations."""

    def sqlalchemy(
        self, name: str, annotation: ast.expr | None, value: ast.expr | None, line: int
    ) -> Column | None:
        """Read `x = Column(…)`, `x: Mapped[T]` and `x: Mapped[T] = mapped_column(…)`."""
        if isinstance(value, ast.Call) and last_name(value) == "deferred" and value.args:
            value = value.args[0]
        call = value if isinstance(value, ast.Call) and last_name(value) in COLUMN_CALLS else None
        if value is not None and call is None:
            return None
        mapped = isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Mapped"
        if call is None and not mapped:
            return None
        annotated = self.types.annotation(self.file, annotation) if mapped else Annotated(None)
        if call is None and _is_collection(annotated):
            return None
        column = Column(name, None, self.file.path, line, nullable=annotated.optional or not mapped)
        if annotated.column is not None:
            self._arguments(column, annotated.column)
        if call is not None:
            self._arguments(column, call)
        if column.type is None and not self._types_given(call) and not self._types_given(annotated.column):
            column.type = self.types.python_type(annotated, self.mapping)
        if column.primary_key:
            column.nullable = False
        return column

    def sqlmodel(self, name: str, annotation: ast.expr, value: ast.expr | None, line: int) -> Column | None:
        """Read a field of a SQLModel table: `x: T = Field(…)` or `x: T = 1`."""
        call = value if isinstance(value, ast.Call) else None
        if last_name(call) == "Relationship" or last_name(getattr(annotation, "value", None)) == "ClassVar":
            return None
        annotated = self.types.annotation(self.file, annotation)
        if call is not None and "Field" not in (last_name(call), self._meant(call)):
            call = None
        call = call or annotated.column
        column = Column(name, self.types.python_type(annotated, {}), self.file.path, line, annotated.optional)
        column.by_library = self.types.is_datetime(annotated)
        if value is not None and call is None:
            column.default = ast.unparse(value)
        if call is not None:
            self._field(column, call)
        if column.primary_key:
            column.nullable = False
        return column

    def _meant(self, call: ast.Call) -> str:
        """Give what a call calls by its own name, whatever the file imports it as."""
        return (self.file.resolve(call.func) or "").rpartition(".")[2]

    def _field(self, column: Column, call: ast.Call) -> None:
        """Read the arguments of SQLModel's Field."""
        given = keywords(call)
        if column.type == "character varying" and isinstance(size := given.get("max_length"), ast.Constant):
            column.type = f"character varying({size.value!r})"
        column.primary_key = is_true(given.get("primary_key"))
        column.unique = is_true(given.get("unique"))
        column.indexed = is_true(given.get("index"))
        column.pattern = "regex" in given or "pattern" in given
        column.bounds = tuple(f"{b}={ast.unparse(given[b])}" for b in BOUNDS if b in given)
        column.note = text_of(given.get("description")) or ""
        self._settle_nullable(column, given)
        if reference := text_of(given.get("foreign_key")):
            column.references = reference_to(reference, text_of(given.get("ondelete")))
        if default := given.get("default_factory", given.get("default", call.args[0] if call.args else None)):
            column.default = ast.unparse(default)
        if "sa_type" in given:
            column.type, column.by_library = self.types.sa_type(self.file, given["sa_type"]), False
        self._sa_arguments(column, given)

    def _sa_arguments(self, column: Column, given: Mapping[str, ast.expr]) -> None:
        """Read what Field passes on to SQLAlchemy."""
        extra = given.get("sa_column_kwargs")
        if isinstance(extra, ast.Dict):
            self._keywords(
                column, {str(text_of(k)): v for k, v in zip(extra.keys, extra.values, strict=True)}
            )
        if isinstance(more := given.get("sa_column_args"), ast.List | ast.Tuple):
            for argument in more.elts:
                self._argument(column, argument)
        whole = given.get("sa_column")
        column.by_library = column.by_library and whole is None
        if isinstance(whole, ast.Call) and last_name(whole) in COLUMN_CALLS:
            column.type = None
            column.nullable = True
            self._arguments(column, whole)
        elif whole is not None and not (isinstance(whole, ast.Constant) and whole.value is None):
            column.type = None

    def _settle_nullable(self, column: Column, given: Mapping[str, ast.expr]) -> None:
        if isinstance(nullable := given.get("nullable"), ast.Constant):
            column.nullable = bool(nullable.value)

    def _types_given(self, call: ast.Call | None) -> bool:
        arguments = (
            [*call.args, *([keywords(call)["type_"]] if "type_" in keywords(call) else [])] if call else []
        )
        return any(
            not text_of(a) and last_name(a) not in NO_TYPES and not isinstance(a, ast.Starred)
            for a in arguments
        )

    def _arguments(self, column: Column, call: ast.Call) -> None:
        """Read the arguments of Column or mapped_column."""
        for number, argument in enumerate(call.args):
            if number == 0 and (name := text_of(argument)):
                column.name = name
            else:
                self._argument(column, argument)
        given = keywords(call)
        if name := text_of(given.get("name")):
            column.name = name
        if "type_" in given:
            column.type = self.types.sa_type(self.file, given["type_"])
        self._keywords(column, given)

    def _argument(self, column: Column, argument: ast.expr) -> None:
        name = last_name(argument)
        if name == "ForeignKey" and isinstance(argument, ast.Call):
            column.references = self._foreign_key(argument)
        elif name in ("Identity", "Computed", "FetchedValue"):
            column.database_default = True
            given = keywords(argument) if isinstance(argument, ast.Call) else {}
            persisted = given.get("persisted")
            column.computed = name == "Identity" or (name == "Computed" and is_true(persisted))
        elif name == "CheckConstraint" and isinstance(argument, ast.Call) and argument.args:
            column.checks += (text_of(argument.args[0]) or column.name,)
        elif name not in NO_TYPES:
            column.type = self.types.sa_type(self.file, argument)

    def _foreign_key(self, call: ast.Call) -> References | None:
        on_delete = text_of(keywords(call).get("ondelete"))
        target = call.args[0] if call.args else keywords(call).get("column")
        if text := text_of(target):
            return reference_to(text, on_delete)
        if isinstance(target, ast.Attribute):
            owner = target.value
            if isinstance(owner, ast.Attribute) and owner.attr in ("c", "columns"):
                owner = owner.value
            qualified = self.file.resolve(owner) or ""
            return References(Name(CLASS_REFERENCE + qualified), (target.attr,), _action(on_delete))
        return None

    def _keywords(self, column: Column, given: Mapping[str, ast.expr]) -> None:
        column.primary_key = column.primary_key or is_true(given.get("primary_key"))
        column.unique = column.unique or is_true(given.get("unique"))
        column.indexed = column.indexed or is_true(given.get("index"))
        self._settle_nullable(column, given)
        default = given.get("default", given.get("insert_default", given.get("default_factory")))
        if default is not None:
            column.default = ast.unparse(default)
        if "server_default" in given:
            column.database_default = True
            column.default = ast.unparse(given["server_default"])
        column.on_update = column.on_update or "onupdate" in given or "server_onupdate" in given
        column.note = text_of(given.get("comment")) or text_of(given.get("doc")) or column.note


def reference_to(text: str, on_delete: str | None) -> References | None:
    """Read `user.id` or `auth.users.id`."""
    parts = text.split(".")
    if len(parts) < 2:
        return References(Name(text), (), _action(on_delete))
    return References(
        Name(parts[-2], parts[-3] if len(parts) > 2 else None), (parts[-1],), _action(on_delete)
    )


def _action(on_delete: str | None) -> str:
    return on_delete.lower() if on_delete else "no action"


def _is_collection(annotated: Annotated) -> bool:
    node = annotated.type
    return isinstance(node, ast.Subscript) and last_name(node.value).lower() in (
        "list",
        "set",
        "dict",
        "sequence",
    )
