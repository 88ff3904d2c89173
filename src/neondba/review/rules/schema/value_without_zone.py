"""A time without a zone is written into a column with one.

`datetime.utcnow()` does not say that it is UTC. asyncpg takes it for the local time of the machine, psycopg
for that of the session: the row then holds a moment that is hours off wherever these are not UTC, and
comparing it with an aware value fails.

## Instead
```python bad path=app/leads.py
from datetime import datetime
from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Lead(Base):
    __tablename__ = "leads"
    id: Mapped[int] = mapped_column(primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

def remove(session, lead):
    lead.deleted_at = datetime.utcnow()  # <- finding
    session.commit()
```
```python good path=app/leads.py
from datetime import UTC, datetime
from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Lead(Base):
    __tablename__ = "leads"
    id: Mapped[int] = mapped_column(primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

def remove(session, lead):
    lead.deleted_at = datetime.now(UTC)
    session.commit()
```
## When it does not matter
Columns without a zone, which have a fault of their own (NDB703), and values that are no column's:
```python good path=app/tokens.py
from datetime import datetime, timedelta
from sqlmodel import Field, SQLModel

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    made_at: datetime

def expires(token, note):
    token.expires_at = datetime.utcnow() + timedelta(hours=1)
    note.made_at = datetime.utcnow()
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.places import is_migration, is_test
from neondba.project.python import PythonFile, PythonFiles
from neondba.project.schema import Schema
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import modelled, own_tables, uses_asyncpg

_NAIVE = ("datetime.datetime.utcnow", "datetime.utcnow", "datetime.datetime.now", "datetime.now")
_ZONED = "timestamp with time zone"


@rule("NDB729", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Report the first assignment of each file, where all columns of that name have a zone."""
    kinds: dict[str, set[str | None]] = {}
    models: dict[str, str] = {}
    labels: set[str] = set()
    for table in own_tables(schema):
        labels.add(table.label)
        for column in table.columns.values() if modelled(table) else ():
            kinds.setdefault(column.field or column.name, set()).add(column.type)
            models.setdefault(column.field or column.name, table.title)
    zoned = {name for name, types in kinds.items() if types == {_ZONED}}
    machine = "asyncpg takes it for the machine's local time"
    taken = machine if uses_asyncpg(tree) else "the server takes it for the session's local time"
    for file in python.containing("utcnow()", "datetime.now()") if zoned else ():
        if is_test(file.path) or is_migration(file.path):
            continue
        found = [place for place in _written(file, frozenset(labels)) if place[1] in zoned]
        if found:
            line, name = min(found)
            yield Finding(
                file.path,
                line,
                f"`{models[name]}.{name}` keeps the zone, and this value has none: {taken}, so the moment is "
                "hours off wherever that is not the value's own.",
                steps=("Write datetime.now(UTC), here and in the rest of the file.",),
                snippet=f"{name} = datetime.now(UTC)",
            )


def _written(file: PythonFile, models: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Give the attributes and keywords that are set to a time without a zone."""
    for function in file.functions:
        for node in function.assignments:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Attribute) and _is_naive(file, node.value):
                yield node.lineno, target.attr
        for call in function.calls:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            for keyword in call.keywords if name == "values" or name in models else ():
                if keyword.arg and _is_naive(file, keyword.value):
                    yield keyword.value.lineno, keyword.arg


def _is_naive(file: PythonFile, node: ast.expr | None) -> bool:
    return (
        isinstance(node, ast.Call)
        and not node.args
        and not node.keywords
        and file.resolve(node.func) in _NAIVE
    )
