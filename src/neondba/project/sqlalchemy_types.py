"""The Postgres types that SQLAlchemy and SQLModel give to columns."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from neondba.postgres.sql_types import AWARE, NAIVE
from neondba.project.python import Class, PythonFile, PythonFiles

SA_TYPES = {
    "Text": "text", "TEXT": "text", "UnicodeText": "text", "CITEXT": "citext", "Integer": "integer",
    "INTEGER": "integer", "INT": "integer", "BigInteger": "bigint", "BIGINT": "bigint",
    "SmallInteger": "smallint", "SMALLINT": "smallint", "Float": "double precision",
    "FLOAT": "double precision",
    "Double": "double precision", "DOUBLE": "double precision", "DOUBLE_PRECISION": "double precision",
    "REAL": "real", "Numeric": "numeric", "NUMERIC": "numeric", "DECIMAL": "numeric", "Boolean": "boolean",
    "BOOLEAN": "boolean", "Date": "date", "DATE": "date", "Time": "time without time zone", "UUID": "uuid",
    "Uuid": "uuid", "JSON": "json", "JSONB": "jsonb", "LargeBinary": "bytea", "BYTEA": "bytea",
    "Enum": "enum", "ENUM": "enum", "Interval": "interval", "INTERVAL": "interval", "Vector": "vector",
    "VECTOR": "vector", "HALFVEC": "halfvec", "TSVECTOR": "tsvector", "INET": "inet",
}  # fmt: skip
PYTHON_TYPES = {
    "str": "character varying", "int": "integer", "float": "double precision", "bool": "boolean",
    "datetime.datetime": NAIVE, "datetime.date": "date", "datetime.time": "time without time zone",
    "datetime.timedelta": "interval", "uuid.UUID": "uuid", "decimal.Decimal": "numeric", "bytes": "bytea",
    "pydantic.EmailStr": "character varying", "pydantic.UUID4": "uuid", "pydantic.NaiveDatetime": NAIVE,
}  # fmt: skip
STRINGS = frozenset({"String", "VARCHAR", "Unicode", "AutoString", "CHAR", "NVARCHAR"})
ENUM_BASES = frozenset({"enum.Enum", "enum.StrEnum", "enum.IntEnum", "enum.Flag"})


@dataclass
class Annotated:
    """A column's annotation taken apart."""

    type: ast.expr | None
    optional: bool = False
    column: ast.Call | None = None
    """`Field(…)` or `mapped_column(…)` inside `Annotated[…]`."""
    file: PythonFile | None = None
    """Where the inner type stands, if an alias led elsewhere."""


def last_name(node: ast.AST | None) -> str:
    """Give the last part of a dotted name or of what a call calls; empty for anything else."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """Give a call's keyword arguments by name."""
    return {k.arg: k.value for k in call.keywords if k.arg}


def is_true(node: ast.expr | None) -> bool:
    """Tell whether an expression is the constant True."""
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.expr | None) -> bool:
    """Tell whether an expression is the constant False."""
    return isinstance(node, ast.Constant) and node.value is False


def text_of(node: ast.expr | None) -> str | None:
    """Give the value of a string constant, also through `text(…)`."""
    if isinstance(node, ast.Call) and last_name(node) in ("text", "quoted_name", "f") and node.args:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


class TypeReader:
    """Reads type expressions and annotations of one project."""

    def __init__(self, python: PythonFiles) -> None:
        self._python = python

    def sa_type(self, file: PythonFile, node: ast.expr | None, depth: int = 0) -> str | None:
        """Give the Postgres type of a SQLAlchemy type expression."""
        if node is None or depth > 4:
            return None
        name = last_name(node)
        call = node if isinstance(node, ast.Call) else None
        if call is not None and name in ("with_variant", "as_mutable", "evaluates_none"):
            return self._wrapped(file, call, name, depth)
        if name in STRINGS:
            return self._string(call)
        if name in ("DateTime", "DATETIME", "TIMESTAMP"):
            return self._timestamp(call)
        if name in ("ARRAY", "MutableList") and call is not None and call.args:
            inner = self.sa_type(file, call.args[0], depth + 1)
            return f"{inner}[]" if inner else None
        found = self._python.definition(file.resolve(node if call is None else call.func))
        if found and isinstance(found[1], ast.expr):
            return self.sa_type(found[0], found[1], depth + 1)
        if call is not None and name == "Enum" and is_false(keywords(call).get("native_enum")):
            return None  # As long as its longest value.
        return None if found else SA_TYPES.get(name)

    def _wrapped(self, file: PythonFile, call: ast.Call, name: str, depth: int) -> str | None:
        """Look through `X.with_variant(Y, "postgresql")` and `MutableDict.as_mutable(X)`."""
        dialects = [text_of(a) for a in call.args[1:]]
        if name == "as_mutable" or "postgresql" in dialects:
            return self.sa_type(file, call.args[0], depth + 1) if call.args else None
        inner = call.func.value if isinstance(call.func, ast.Attribute) else None
        return self.sa_type(file, inner, depth + 1)

    def _string(self, call: ast.Call | None) -> str | None:
        given = None
        if call is not None:
            given = call.args[0] if call.args else keywords(call).get("length")
        if given is None:
            return "character varying"
        if isinstance(given, ast.Constant) and isinstance(given.value, int):
            return f"character varying({given.value})"
        return None if not isinstance(given, ast.Constant) else "character varying"

    def _timestamp(self, call: ast.Call | None) -> str | None:
        if call is None:
            return NAIVE
        zone = call.args[0] if call.args else keywords(call).get("timezone")
        if zone is None:
            return NAIVE
        return (AWARE if zone.value else NAIVE) if isinstance(zone, ast.Constant) else None

    def annotation(self, file: PythonFile, node: ast.expr | None, depth: int = 0) -> Annotated:
        """Take `Mapped[Optional[T]]`, `Annotated[T, …]`, `T | None` and aliases of them apart."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return Annotated(None)
        if node is None or depth > 6:
            return Annotated(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union(file, [node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(file, node, depth)
        if isinstance(node, ast.Name | ast.Attribute):
            found = self._python.definition(file.resolve(node))
            if found and isinstance(found[1], ast.expr):
                return self.annotation(found[0], found[1], depth + 1)
        return Annotated(node, file=file)

    def _subscript(self, file: PythonFile, node: ast.Subscript, depth: int) -> Annotated:
        name = last_name(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name in ("Optional", "Union"):
            return self._union(file, [*parts, *([ast.Constant(None)] if name == "Optional" else [])], depth)
        if name in ("Mapped", "Annotated", "Final", "Required"):
            inner = self.annotation(file, parts[0], depth + 1)
            columns = [
                p for p in parts[1:] if isinstance(p, ast.Call) and last_name(p) in ("Field", "mapped_column")
            ]
            inner.column = inner.column or (columns[0] if columns else None)
            return inner
        return Annotated(node, file=file)

    def _union(self, file: PythonFile, parts: list[ast.expr], depth: int) -> Annotated:
        real = [p for p in parts if not (isinstance(p, ast.Constant) and p.value is None)]
        inner = self.annotation(file, real[0], depth + 1) if real else Annotated(None)
        inner.optional = inner.optional or len(real) < len(parts)
        return inner

    def python_type(self, annotated: Annotated, mapping: Mapping[str, str | None]) -> str | None:
        """Give the Postgres type of a Python annotation, by the base's own map first."""
        if annotated.type is None or annotated.file is None:
            return None
        qualified = annotated.file.resolve(annotated.type) or ""
        if qualified in mapping:
            return mapping[qualified]
        if qualified in PYTHON_TYPES:
            return PYTHON_TYPES[qualified]
        if last_name(getattr(annotated.type, "value", None)) == "Literal":
            return "enum"
        found = self._python.definition(qualified)
        if found and isinstance(found[1], Class) and self._is_enum(found[0], found[1]):
            return "enum"
        return None

    def is_datetime(self, annotated: Annotated) -> bool:
        """Tell whether an annotation is the plain `datetime`."""
        if annotated.type is None or annotated.file is None:
            return False
        return annotated.file.resolve(annotated.type) == "datetime.datetime"

    def _is_enum(self, file: PythonFile, class_: Class) -> bool:
        names = [file.resolve(b) or "" for b in class_.bases]
        return any(n in ENUM_BASES or n.rpartition(".")[2] in ("Enum", "StrEnum", "IntEnum") for n in names)

    def annotation_map(self, file: PythonFile, node: ast.expr | None) -> dict[str, str | None]:
        """Read `type_annotation_map = {datetime: DateTime(timezone=True)}`."""
        if not isinstance(node, ast.Dict):
            return {}
        return {
            file.resolve(key) or "": self.sa_type(file, value)
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        }
