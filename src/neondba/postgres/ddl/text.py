"""A schema as text, object by object, and the difference of two in git's form."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from neondba.postgres.ddl import change, make
from neondba.postgres.ddl.described import described
from neondba.postgres.ddl.schema import Schema
from neondba.postgres.ddl.values import Column, DefaultPrivileges, Part, Sequence, Table, Value

_ORDER = ("constraint", "index", "rule", "trigger", "policy")
EMPTY = Schema(objects={})


def as_text(schema: Schema) -> str:
    """Write every object with what hangs on it, in the order of their names; no script to run."""
    return "\n".join(f"-- {title}\n{text}" for title, text in texts(schema).items())


def texts(schema: Schema) -> dict[str, str]:
    """Give the text of each object that hangs on no other, by key."""
    return {
        key: "".join(f"{statement};\n" for statement in _statements(value, schema))
        for key, value in sorted(schema.compared.items())
        if not isinstance(value, Part)
    }


def text_difference(before: Schema, after: Schema, context: int = 3) -> str:
    """Write what differs as a unified diff with one part for each object."""
    old, new = texts(before), texts(after)
    found: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            found += difflib.unified_diff(
                _lines(old.get(key, "")),
                _lines(new.get(key, "")),
                f"a/{_on_one_line(key)}" if key in old else "/dev/null",
                f"b/{_on_one_line(key)}" if key in new else "/dev/null",
                n=context,
                lineterm="",
            )
    return "".join(f"{line}\n" for line in found)


def _lines(text: str) -> list[str]:
    # Not splitlines: a name may hold any of the characters that it takes for the end of a line.
    return text.removesuffix("\n").split("\n") if text else []


def _on_one_line(key: str) -> str:
    return key.replace("\n", "\\n").replace("\r", "\\r")


def _statements(value: Value, schema: Schema) -> Iterator[str]:
    if isinstance(value, DefaultPrivileges):
        yield from change.default_privileges(change.no_default_privileges(value), value)
        return
    if isinstance(value, Table):
        yield from _table(value, schema)
    else:
        yield from make.made(value)
    if isinstance(value, Sequence) and value.owned_by is not None:
        yield f"ALTER SEQUENCE {value.name} OWNED BY {value.owned_by}"
    yield from described(value, EMPTY)
    parts = [part for part in schema.parts(value.name) if part.key in schema.compared]
    for part in sorted(parts, key=_place):
        if not isinstance(part, Column):
            yield from make.made(part)
        yield from described(part, EMPTY)


def _place(part: Part) -> tuple[int, str]:
    return (_ORDER.index(part.kind) + 1 if part.kind in _ORDER else 0), part.name


def _table(table: Table, schema: Schema) -> Iterator[str]:
    columns = schema.columns(table.name)
    yield make.made_table(table, columns)
    for column in columns:
        yield from make.column_settings(None, column)
        yield from _over_parents(column, schema)
    yield from make.table_settings(table)
    if table.replica_identity is not None:
        yield f"ALTER TABLE {table.name} REPLICA IDENTITY {table.replica_identity}"


def _over_parents(column: Column, schema: Schema) -> Iterator[str]:
    """Say in what a column differs from the parent's that it comes from."""
    table = schema.get(Table, column.table)
    if not column.inherited or table is None:
        return
    for parent in (table.partition_of, *table.inherits):
        above = schema.get(Column, f"{parent}.{column.part}")
        if above is not None and above.default != column.default:
            what = "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default}"
            yield f"ALTER TABLE {table.name} ALTER COLUMN {column.part} {what}"
        if above is not None and column.not_null and not above.not_null:
            yield f"ALTER TABLE {table.name} ALTER COLUMN {column.part} SET NOT NULL"
