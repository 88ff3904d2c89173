"""What a client may send: request bodies, and the places where they are copied into rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from neondba.project.isolation.entrances import Door
from neondba.project.isolation.values import Built, Client, Query, Row, Value
from neondba.project.owners import columns_of
from neondba.project.python import Class, Function, PythonFiles


@dataclass(frozen=True, eq=False)
class Copy:
    """A place where a value, or all its fields, are put into a row."""

    query: Query
    """The statement that makes or has read the row."""
    column: str
    """The column that is set; `*` for all fields of a body."""
    value: Value
    path: str
    line: int
    function: Function | None
    key: str = ""
    """The variable that names the column, where a loop sets all of them."""

    @property
    def bodies(self) -> list[str]:
        """The parameters that are copied whole."""
        return [a.name for a in self.value if isinstance(a, Client) and not a.field]


def copies(door: Door) -> Iterator[Copy]:
    """Give what is set in the rows behind a door: in new ones, and in those that were read."""
    for query in door.summary.queries:
        for condition in query.conditions:
            if condition.column.startswith("="):
                column = condition.column[1:]
                yield Copy(query, column, condition.value, query.path, query.line, query.function)
    for write in door.summary.writes:
        for atom in write.target:
            if isinstance(atom, Row | Built):
                yield Copy(
                    atom.query, write.field, write.value, write.path, write.line, write.function, write.key
                )


def fields(files: PythonFiles, door: Door, body: str) -> frozenset[str]:
    """Give the fields of a parameter that is a request body."""
    parameter = next((p for p in door.function.parameters if p.name == body), None)
    annotation = parameter.annotation if parameter is not None else None
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice
        annotation = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
    found = files.definition(door.file.resolve(annotation))
    if found is not None and isinstance(found[1], Class):
        return frozenset(columns_of(files, found[0], found[1]))
    return frozenset()


def is_left_out(copied: Copy, door: Door, column: str) -> bool:
    """Tell whether the program itself sets a column, names it, or picks the fields it copies."""
    if any(c.column == f"={column}" for c in copied.query.conditions):
        return True
    for write in door.summary.writes:
        ours = any(isinstance(a, Row | Built) and a.query is copied.query for a in write.target)
        if ours and write.field == column:
            return True
    functions = [f for f in (copied.function, door.function) if f is not None]
    return any(_names(f, copied.key, column) for f in functions)


def _names(function: Function, key: str, column: str) -> bool:
    for node in function.nodes:
        if isinstance(node, ast.Constant) and node.value == column:
            return True
        if isinstance(node, ast.Attribute) and node.attr == column and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == key:
            return True
    return False
