"""Edits and changes that schema rules propose."""

from __future__ import annotations

import ast
import re

from neondba.project.migration_writing.change import Change
from neondba.project.python import PythonFiles
from neondba.project.schema import ForeignKey, Index, Schema, Table
from neondba.project.tree import Tree
from neondba.review.editing import rows, with_keywords
from neondba.review.finding import Edit
from neondba.review.rules.schema._drizzle import with_index
from neondba.review.rules.schema._shared import modelled, quoted

LONGEST = 63
"""Bytes of the longest name that PostgreSQL keeps."""

MAKERS = ("Field", "mapped_column", "Column")


def attribute(python: PythonFiles, table: Table, path: str, line: int) -> tuple[str, ast.Call] | None:
    """Give the file's text and the call that defines a column, where the model itself holds it."""
    if path not in python or table.path != path:
        return None
    file = python[path]
    for made in file.classes:
        if made.name != table.label:
            continue
        for node in made.node.body:
            value = getattr(node, "value", None)
            if node.lineno == line and isinstance(value, ast.Call):
                name = (file.resolve(value.func) or "").rpartition(".")[2]
                return (file.text, value) if name in MAKERS else None
    return None


def indexed(
    schema: Schema, python: PythonFiles, tree: Tree, table: Table, key: ForeignKey
) -> tuple[tuple[Edit, ...], Change | None]:
    """Give the repair of a foreign key without index; nothing where a person has to decide."""
    if len(key.columns) != 1 or table.name.schema:
        return (), None
    column = table.columns.get(key.columns[0])
    if modelled(table) and column is not None:
        if not any(
            other.source == "alembic" for other in schema.definitions if other.name.key == table.name.key
        ):
            return (), None
        found = attribute(python, table, column.path, column.line)
        if found is None or any(python.containing("naming_convention")):
            return (), None
        if {"sa_column", "sa_column_args"} & {k.arg for k in found[1].keywords}:
            return (), None
        edits = with_keywords(column.path, found[0], found[1], index="True")
        name = f"ix_{table.name.name}_{column.name}"
    elif table.source == "prisma" and column is not None:
        edits = _in_prisma(tree, table, column.line)
        name = f"{table.name.name}_{column.name}_idx"
    elif table.source == "drizzle" and column is not None:
        name = f"{table.name.name}_{column.name}_idx"
        edits = with_index(tree, table, column, name)
    elif table.source == "sql":
        name = f"{table.name.name}_{key.columns[0]}_idx"
        return (), added(name, table, key.columns)
    else:
        return (), None
    return (edits, added(name, table, key.columns)) if edits else ((), None)


def added(name: str, table: Table, columns: tuple[str, ...]) -> Change | None:
    """Give the change that builds an index without stopping writes."""
    if len(name.encode()) > LONGEST:
        return None
    names = ", ".join(quoted(column) for column in columns)
    return Change(
        f"index {table.name.name} {' '.join(columns)}",
        (f"create index concurrently {quoted(name)} on {quoted(table.name)} ({names})",),
        (f"drop index concurrently {quoted(name)}",),
        concurrently=True,
    )


def dropped(table: Table, index: Index) -> Change | None:
    """Give the change that drops a named index without stopping anybody."""
    if index.name is None or None in index.columns:
        return None
    columns = ", ".join(quoted(str(column)) for column in index.columns)
    unique = "unique " if index.unique else ""
    return Change(
        f"drop index {index.name}",
        (f"drop index concurrently {quoted(index.name)}",),
        (f"create {unique}index concurrently {quoted(index.name)} on {quoted(table.name)} ({columns})",),
        concurrently=True,
    )


def _in_prisma(tree: Tree, table: Table, line: int) -> tuple[Edit, ...]:
    """Write `@@index` as the last line of the model."""
    every = rows(tree.text(table.path) or "")
    field = re.match(r"\s*(\w+)\s", every[line - 1])
    end = next((n for n in range(line, len(every)) if every[n].strip() == "}"), None)
    if field is None or end is None:
        return ()
    last = every[end - 1]
    gap = "" if last.strip().startswith("@@") or not last.strip() else "\n"
    return (Edit(table.path, end, last, f"{last}\n{gap}  @@index([{field[1]}])"),)
