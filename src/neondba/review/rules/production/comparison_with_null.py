"""A condition compares with NULL, which is never true.

In SQL `column = NULL` is neither true nor false for any row: the condition matches nothing, and rows without
a value drop out silently. Python's `is None` is worse: it is decided before the statement is made, so the
condition is a constant.

## Instead
```typescript bad path=src/messages.ts case=drizzle
import { eq, or, sql } from "drizzle-orm";
import { messages } from "./schema";

export const unread = () => db.select().from(messages).where(eq(messages.seenAt, sql`null`)); // <- finding
```
```typescript good path=src/messages.ts case=drizzle
import { isNull } from "drizzle-orm";
import { messages } from "./schema";

export const unread = () => db.select().from(messages).where(isNull(messages.seenAt));
```
```python bad path=app/messages.py case=python
from sqlmodel import select
from app.models import Message

def unread(session):
    return session.exec(select(Message).where(Message.seen_at is None)).all()  # <- finding
```
```python good path=app/messages.py case=python
from sqlmodel import select
from app.models import Message

def unread(session):
    return session.exec(select(Message).where(Message.seen_at.is_(None))).all()
```
## When it does not matter
`== None` in SQLAlchemy becomes IS NULL, and a value of the program may be compared with None anywhere:
```python good path=app/messages.py case=fine
from sqlmodel import select
from app.models import Message

def unread(session, since):
    query = select(Message).where(Message.seen_at == None)
    return session.exec(query if since is None else query.where(Message.at > since)).all()
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Constant, Member, Node, Template, Text
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, method

_FILTERS = frozenset({"where", "filter", "having", "and_", "or_"})
_COMPARISONS = ("eq", "ne")


@rule("NDB913", Category.PRODUCTION, Severity.MEDIUM)
def check(files: TypeScriptFiles, python: PythonFiles) -> Iterator[Finding]:
    """Find conditions that compare a column with NULL, once a file."""
    for file in files.containing("drizzle-orm"):
        if not any(i.source.startswith("drizzle-orm") for i in file.imports.values()):
            continue
        found = [c for c in file.calls_of(*_COMPARISONS) if _is_drizzle(c) and c.name in file.imports]
        if found:
            call = min(found, key=lambda c: c.line)
            column = call.arguments[0].name if isinstance(call.arguments[0], Member) else "The column"
            wanted = "isNull" if call.name == "eq" else "isNotNull"
            yield _finding(file.path, call.line, column, f"{wanted}(table.{column})", len(found))
    for module in apps(python, "is None", "is not None"):
        places = [
            (node.lineno, node.left.attr, "is_" if isinstance(node.ops[0], ast.Is) else "is_not")
            for call_ in module.calls
            if method(call_.node) in _FILTERS
            for node in call_.node.args
            if isinstance(node, ast.Compare) and _is_column(node)
            and isinstance(node.left, ast.Attribute)
        ]  # fmt: skip
        if places:
            line, name, wanted = min(places)
            yield _finding(module.path, line, name, f"Model.{name}.{wanted}(None)", len(places))


def _is_drizzle(call: Call) -> bool:
    return len(call.arguments) == 2 and isinstance(call.arguments[0], Member) and _is_null(call.arguments[1])


def _is_null(node: Node) -> bool:
    if isinstance(node, Constant):
        return node.text == "null"
    value = node.arguments[0] if isinstance(node, Call) and node.form == "tag" and node.arguments else None
    if isinstance(value, Text):
        return value.value.strip().lower() == "null"
    return isinstance(value, Template) and not value.holes and "".join(value.texts).strip().lower() == "null"


def _is_column(node: ast.Compare) -> bool:
    """Tell whether `Model.column is None` asks for the attribute of a class."""
    left = node.left
    return (
        isinstance(node.ops[0], ast.Is | ast.IsNot)
        and isinstance(node.comparators[0], ast.Constant)
        and node.comparators[0].value is None
        and isinstance(left, ast.Attribute)
        and isinstance(left.value, ast.Name)
        and left.value.id[:1].isupper()
    )


def _finding(path: str, line: int, column: str, snippet: str, count: int) -> Finding:
    more = f" So do {count - 1} more in this file." if count > 1 else ""
    return Finding(
        path,
        line,
        f"The condition on {column} is never true for a row without a value: it compares with NULL.{more}",
        steps=("Ask for IS NULL or IS NOT NULL.",),
        snippet=snippet,
    )
