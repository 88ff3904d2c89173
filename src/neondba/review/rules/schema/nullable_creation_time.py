"""The time of creation may be missing.

`created_at` has a default but allows NULL, so one import, one script or one explicit NULL makes rows that no
sorting by age finds and every reader must provide for.

## Instead

```python bad path=app/models.py
from datetime import datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Item(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime | None = Field(default_factory=now, sa_type=DateTime(timezone=True))  # <- finding
```

```sql good path=schema.sql
create table items (id bigint primary key, created_at timestamptz not null default now());
```

## When it does not matter

Without a default the column may be meant to be empty:

```sql good path=schema.sql
create table imports (id bigint primary key, created_at timestamptz);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import AWARE, NAIVE, base_type
from neondba.project.schema import Schema
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted

NAMES = frozenset({"created_at", "createdat", "created_on", "created", "inserted_at"})


@rule("NDB717", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find creation times that have a default and allow NULL."""
    for table in own_tables(schema):
        for column in table.columns.values():
            if column.name.lower() not in NAMES or not column.nullable or column.default in (None, "None"):
                continue
            if base_type(column.type or "") in (AWARE, NAIVE):
                yield Finding(
                    column.path,
                    column.line,
                    f"Rows of `{table.title}` may have no `{column.name}`: the default does not stop an "
                    "explicit NULL.",
                    ("Fill the rows that have none, then make the column NOT NULL.",),
                    f"alter table {quoted(table.name)} alter column {quoted(column.name)} set not null;",
                )
