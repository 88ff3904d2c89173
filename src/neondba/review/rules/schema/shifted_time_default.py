"""A default shifts the time by the session's offset.

`timezone('utc', now())` turns the moment into a UTC wall clock time without a zone; stored in a
`timestamptz` column it is read as local time of the session. In a session whose time zone is not UTC every
row gets a moment that is off by hours. `now()` alone is right: `timestamptz` holds moments.

## Instead

```sql bad path=schema.sql
create table orders (
  id bigint primary key,
  created timestamptz not null default timezone('utc', now())  -- <- finding
);
```

```sql good path=schema.sql
create table orders (
  id bigint primary key,
  created timestamptz not null default now()
);
```

`datetime.utcnow` does the same from Python: it gives a time without a zone, which the driver (asyncpg) or the
session (psycopg) reads as local time.

```python bad path=app/models.py
from datetime import datetime

from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(  # <- finding
        DateTime(timezone=True), default=datetime.utcnow
    )
```

## When it does not matter

In a column without a zone the expression is how UTC is written:

```sql good path=migrations/001_sessions.sql
create table visits_local (id bigint primary key, seen_local timestamp default timezone('utc', now()));
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.sql_types import AWARE, base_type
from neondba.project.schema import Schema
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import first, listed, own_tables, quoted

SHIFT = re.compile(r"timezone\(\s*'utc'|at time zone '(utc|gmt)'", re.IGNORECASE)

LOCAL = re.compile(r"\butcnow\b|\bdatetime\.now(?:\(\))?$")
"""Python's times without a zone."""


@rule("NDB714", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find defaults that take the zone away from timestamptz columns, once a table."""
    for table in own_tables(schema):
        shifted = [
            c
            for c in table.columns.values()
            if base_type(c.type or "") == AWARE
            and not c.by_library
            and (SHIFT if c.database_default else LOCAL).search(c.default or "")
        ]
        if shifted:
            place = first(shifted)
            yield Finding(
                place.path,
                place.line,
                f"The default of {listed(c.name for c in shifted)} in `{table.name}` is wrong by hours in "
                "sessions whose time zone is not UTC.",
                ("Use now() as the default.",)
                if place.database_default
                else ("Replace datetime.utcnow, which gives a value without a zone, by datetime.now(UTC).",),
                f"alter table {quoted(table.name)} alter column {quoted(place.name)} set default now();"
                if place.database_default
                else "default=lambda: datetime.now(UTC)",
            )
