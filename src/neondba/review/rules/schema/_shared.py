"""Words that the schema rules share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from neondba.project.schema import Column, Schema, Table
from neondba.project.tree import Tree
from neondba.review.rules.migrations._shared import listed, python_list, quoted

__all__ = ["listed", "modelled", "own_tables", "python_list", "quoted", "spellings", "uses_asyncpg", "words"]

MODELS = frozenset({"sqlmodel", "sqlalchemy"})
EXAMPLES = re.compile(
    r"(^|/)(\.[\w.-]+|tests?|__tests__|testing|fixtures|examples?|samples?|docs?|docs_src|benchmarks?|specs?|contracts"
    r"|templates?)/|(^|/)(test_|conftest)"
)
"""Places of tables that no application uses."""


def own_tables(schema: Schema) -> Iterator[Table]:
    """Give the tables that the project itself may change; examples and tests are none of them."""
    for table in schema.tables:
        if table.provider is None and not EXAMPLES.search(table.path):
            yield table


def words(name: str) -> list[str]:
    """Take a name apart: `totalPrice_usd` is total, price, usd."""
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def spellings(name: str) -> set[str]:
    """Give the ways in which code writes a column: `updated_at` and `updatedAt`."""
    parts = words(name)
    return {name, "_".join(parts), parts[0] + "".join(p.capitalize() for p in parts[1:])} if parts else {name}


def modelled(table: Table) -> bool:
    """Tell whether a Python class defines the table."""
    return table.source in MODELS


def first(columns: Iterable[Column]) -> Column:
    """Give the column that stands first in its file."""
    return min(columns, key=lambda c: (c.path, c.line))


def uses_asyncpg(tree: Tree) -> bool:
    """Tell whether the project talks to PostgreSQL through asyncpg."""
    lists = tree.named("pyproject.toml", "Pipfile", suffix=(".txt", ".py"))
    return any("asyncpg" in (tree.text(path) or "") for path in lists)
