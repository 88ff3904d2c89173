"""A column has a few allowed values, and the database allows any.

The application knows the values; a script, another service or a typing error writes something else, and the
row disappears from every list that filters by the known ones. SQLModel does not validate table models, so a
pattern or bounds on a field check nothing when a row is written.

## Instead

```python bad path=app/models.py
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    status: str = Field(default="pending")  # <- finding
    progress: int = Field(default=0, ge=0, le=100)
```

```python good path=app/models.py
from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    __table_args__ = (
        CheckConstraint("status in ('pending', 'done')"),
        CheckConstraint("progress between 0 and 100"),
    )
    id: int | None = Field(default=None, primary_key=True)
    status: str = Field(default="pending")
    progress: int = Field(default=0, ge=0, le=100)
```

```sql bad path=schema.sql
create table orders (
  id bigint primary key,
  status text not null default 'open'  -- <- finding
);
```

## When it does not matter

An enum limits the values; free text without a default may be meant as such:

```sql good path=schema.sql
create type order_status as enum ('open', 'paid');
create table orders (
  id bigint primary key,
  status order_status not null default 'open',
  state text,
  role text default 'member',
  priority text check (priority in ('low', 'high')) default 'low'
);
```

```python good path=app/models.py
from enum import StrEnum

from sqlmodel import Field, SQLModel


class Status(StrEnum):
    PENDING = "pending"


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    status: Status = Field(default=Status.PENDING)
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.sql_types import TEXTS, base_type
from neondba.project.schema import Column, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import first, listed, modelled, own_tables, quoted, words

CHOICES = frozenset({"status", "priority", "role", "visibility", "stage", "severity"})
NO_CHOICES = frozenset(
    {"code", "message", "text", "reason", "detail", "details", "url", "note", "name", "id"}
)


@rule("NDB707", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find columns of few values that the database does not check, once a table."""
    for table in own_tables(schema):
        free = [c for c in table.columns.values() if _has_choices(c) and not schema.checks_of(table, c.name)]
        bounded = [c for c in table.columns.values() if c.bounds and not schema.checks_of(table, c.name)]
        if free:
            place = first(free)
            rest = (
                f" The bounds of {listed(c.name for c in bounded)} are not checked either." if bounded else ""
            )
            yield Finding(
                place.path,
                place.line,
                f"Any text can be stored in {listed(c.name for c in free)} of `{table.title}`; a row with an "
                f"unknown value drops out of every list.{rest}",
                ("Add a CHECK constraint with the allowed values, or use an enum type.",),
                _snippet(table, place),
            )


def _has_choices(column: Column) -> bool:
    parts = words(column.name)
    if not parts or parts[-1] not in CHOICES or NO_CHOICES.intersection(parts):
        return False
    if base_type(column.type or "") not in TEXTS:
        return False
    literal = _literal(column)
    listed_in_note = literal is not None and literal in words(column.note) and column.note.count(",") > 0
    return column.pattern or listed_in_note or (parts[-1] == "status" and literal is not None)


def _literal(column: Column) -> str | None:
    match = re.match(r"""['"(]*([\w-]+)['")]*(::[\w ]+)?$""", column.default or "")
    plain = match[1] if match else None
    return (
        None if plain in (None, "None", "null", "NULL") or (column.default or "")[:1] not in "'\"" else plain
    )


def _snippet(table: Table, column: Column) -> str:
    known = f"'{_literal(column)}', " if _literal(column) else ""
    if modelled(table):
        return f'CheckConstraint("{column.name} in ({known}…)")'
    name = quoted(f"{table.name.name}_{column.name}_check")
    check_ = f"check ({quoted(column.name)} in ({known}…)) not valid;"
    return f"alter table {quoted(table.name)} add constraint {name} {check_}"
