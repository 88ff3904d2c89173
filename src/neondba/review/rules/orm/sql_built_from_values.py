"""Values are written into the text of a statement instead of being bound.

Whoever chooses such a value chooses the statement: a quote is enough to read other tables, to change
rows or to delete them. A bound parameter stays a value whatever it holds.

## Instead

```python bad path=app/search.py
from sqlalchemy import text

def find(session, name: str):
    return session.execute(text(f"SELECT id FROM items WHERE name = '{name}'")).all()  # <- finding
```

```python good path=app/search.py
from sqlalchemy import text

def find(session, name: str):
    return session.execute(text("SELECT id FROM items WHERE name = :name"), {"name": name}).all()
```

The text may be put together elsewhere; the finding stands where the value becomes text:

```python bad path=app/repository.py
class Items:
    def condition(self, filters):
        parts = []
        for f in filters:
            parts.append(f"{f['column']} = '{f['value']}'")  # <- finding
        return " AND ".join(parts)

    def find(self, connection, filters: list[dict]):
        where = self.condition(filters)
        return connection.execute(f"SELECT id FROM items WHERE {where}")
```

## When it does not matter

Constants, numbers, enumerations, values held against a list, quoted identifiers, and placeholders that
are only counted:

```python good path=app/safe.py
from enum import Enum
from psycopg import sql
from sqlalchemy import text
from app.models import Item

COLUMNS = {"name": "items.name", "age": "items.created_at"}
TABLE = "items"

class Order(str, Enum):
    up = "asc"
    down = "desc"

def one(session, sort: str, order: Order, limit: int):
    by = f"{COLUMNS[sort]} {order.value}"
    return session.execute(text(f"SELECT id FROM {TABLE} ORDER BY {by} LIMIT {limit}"))

def two(session, sort: str):
    if sort not in ("name", "age"):
        raise ValueError(sort)
    return session.execute(text(f"SELECT id FROM {Item.__tablename__} ORDER BY {sort}"))

def three(cursor, table: str):
    return cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))

def four(cursor, ids: list[str]):
    marks = ", ".join(["%s"] * len(ids))
    return cursor.execute(f"SELECT id FROM items WHERE id IN ({marks})", ids)

def five(session, fields: dict):
    names = ", ".join(f"{name} = :{name}" for name in fields)
    return session.execute(text(f"UPDATE items SET {names}"), fields)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.project.sql_flow import INTERNAL, Flow
from neondba.project.sql_text import SqlText, SqlTexts
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB301", Category.ORM_BYPASS, Severity.HIGH)
def check(files: PythonFiles, texts: SqlTexts) -> Iterator[Finding]:
    """Look for parameters that become part of SQL."""
    told: set[tuple[int, str]] = set()
    for text in texts.texts:
        for flow in text.flows:
            cause = (id(text.function), flow.parameter)
            if flow.line and cause not in told and not _is_internal(files, text, flow):
                told.add(cause)
                yield _finding(text, flow)
                break


def _is_internal(files: PythonFiles, text: SqlText, flow: Flow) -> bool:
    if text.client is not None:
        return flow.parameter not in text.client
    if INTERNAL.search(flow.parameter):
        return True
    return _always_constant(files, text, flow)


def _always_constant(files: PythonFiles, text: SqlText, flow: Flow) -> bool:
    """Tell whether every call in the project gives the parameter a constant."""
    function = text.function
    if function is None:
        return True
    names = [p.name for p in function.parameters if p.name not in ("self", "cls")]
    place = names.index(flow.parameter) if flow.parameter in names else -1
    given = []
    for file in files.containing(f"{function.name}("):
        for call in file.calls:
            func = call.node.func
            if (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) == function.name:
                by_name = next((k.value for k in call.node.keywords if k.arg == flow.parameter), None)
                by_place = call.node.args[place] if 0 <= place < len(call.node.args) else None
                given.append(by_name or by_place)
    return bool(given) and all(
        g is None or isinstance(g, ast.Constant) or _is_constant_name(g) for g in given
    )


def _is_constant_name(node: ast.expr) -> bool:
    last = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return last.isupper() or last.startswith("__")


def _finding(text: SqlText, flow: Flow) -> Finding:
    where = f"{text.function.name}()" if text.function else text.file.path
    severity = Severity.CRITICAL if text.is_route else Severity.LOW if text.is_by_hand else Severity.HIGH
    return Finding(
        flow.path,
        flow.line,
        f"{flow.parameter}, a parameter of {where}, becomes part of the SQL that is run in "
        f"{text.file.path}:{text.line}. Whoever chooses its value can read, change or delete other rows.",
        steps=(
            f"Bind {flow.parameter} as a parameter, or write the condition with the ORM.",
            "Names of tables and columns cannot be bound: choose them from a fixed list.",
        ),
        snippet=f'text("... = :{flow.parameter}"), {{"{flow.parameter}": {flow.parameter}}}',
        severity=severity,
    )
