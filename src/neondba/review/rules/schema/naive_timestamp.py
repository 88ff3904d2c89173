"""A point in time is stored without its zone.

`timestamp` keeps what a clock on a wall showed and forgets where the wall was. The same value means
different moments to sessions with different time zones, comparisons with `now()` are off by the offset,
and asyncpg refuses an aware `datetime` for such a column. `timestamptz` takes the same eight bytes.

## Instead

```sql bad path=schema.sql
create table tasks (
  id bigint primary key,
  due_at timestamp,  -- <- finding
  done_at timestamp
);
```

```sql good path=schema.sql
create table tasks (
  id bigint primary key,
  due_at timestamptz,
  done_at timestamptz
);
```

```python bad path=app/models.py
from datetime import datetime

from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(default_factory=datetime.utcnow)  # <- finding
```

```python good path=app/models.py
from datetime import UTC, datetime

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(
        default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True)
    )
```

Columns that several tables take from one place are one finding, there:

```typescript bad path=src/db/times.ts case=shared
import { timestamp } from "drizzle-orm/pg-core";

export const times = {
  createdAt: timestamp("created_at").defaultNow().notNull(), // <- finding
};
```

```typescript bad path=src/db/schema.ts case=shared
import { integer, pgTable } from "drizzle-orm/pg-core";
import { times } from "./times";

export const tasks = pgTable("tasks", { id: integer("id").primaryKey(), ...times });
export const notes = pgTable("notes", { id: integer("id").primaryKey(), ...times });
```

## When it does not matter

SQLModel 0.0.45 and later give a plain `datetime` a column with time zone:

```python good path=app/models.py case=settled
from datetime import UTC, datetime

from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(default_factory=datetime.utcnow)
```

```text good path=requirements.txt case=settled
sqlmodel==0.0.46
```

```python good path=app/models.py case=open
from datetime import UTC, datetime

from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
```

```text good path=requirements.txt case=open
sqlmodel>=0.0.22
```

An older one that is pinned, in a lock file or a list, does not:

```python bad path=app/models.py case=old
from datetime import UTC, datetime

from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))  # <- finding
```

```text bad path=requirements.txt case=old
sqlmodel==0.0.27
```

A request body is no table, the base may map `datetime` itself, an authentication provider chooses its own
types, and a local time of day may be meant:

```python good path=app/schemas.py
from datetime import datetime

from sqlmodel import SQLModel


class TaskRead(SQLModel):
    created_at: datetime
```

```python good path=app/models.py
from datetime import datetime

from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
```

```sql good path=migrations/002_better_auth.sql
create table "session" (
  id text primary key, token text not null unique, "userId" text not null,
  "expiresAt" timestamp not null, "createdAt" timestamp not null
);
create table meetings (id bigint primary key, starts_local timestamp);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import AWARE, NAIVE, base_type
from neondba.project.schema import Column, Schema, Table
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import (
    first,
    listed,
    modelled,
    own_tables,
    quoted,
    uses_asyncpg,
    words,
)


@rule("NDB703", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, tree: Tree) -> Iterator[Finding]:
    """Find columns of timestamp without time zone, once a table."""
    found: dict[tuple[str, int], list[tuple[Table, Column]]] = {}
    for table in own_tables(schema):
        if table.source == "prisma":
            continue  # Prisma's DateTime is timestamp(3) and its client always speaks UTC.
        for c in table.columns.values():
            if is_naive(c) and not _aware_elsewhere(schema, table, c):
                found.setdefault((c.path, c.line), []).append((table, c))
    causes: dict[tuple[str, ...], list[tuple[Table, Column]]] = {}
    for (path, _), pairs in found.items():
        cause = tuple(t.title for t, _ in pairs)
        causes.setdefault((path, pairs[0][0].path, *cause), []).append(pairs[0])
    asyncpg = bool(causes) and uses_asyncpg(tree)
    for (_, _, title, *others), pairs in causes.items():
        refused = asyncpg and modelled(pairs[0][0])
        yield _finding(title, len(others), pairs[0][0], [c for _, c in pairs], refused=refused)


def _finding(title: str, others: int, table: Table, naive: list[Column], *, refused: bool) -> Finding:
    place = first(naive)
    more = f" and {others} more table{'s' if others > 1 else ''}" if others else ""
    return Finding(
        place.path,
        place.line,
        f"The time zone of {listed(c.name for c in naive)} in `{title}`{more} is lost: sessions in "
        f"other zones read other moments{', and asyncpg refuses aware values' if refused else ''}.",
        _steps(table, naive),
        _snippet(table, place),
        Severity.LOW if table.source == "drizzle" else None,
    )


def is_naive(column: Column) -> bool:
    """Tell whether a column holds a point in time without its zone."""
    return base_type(column.type or "") == NAIVE and not {"local", "wall", "birth"}.intersection(
        words(column.name)
    )


def _aware_elsewhere(schema: Schema, table: Table, column: Column) -> bool:
    """The table itself has the zone: then the model differs from it, which is another finding."""
    others = [
        t.columns.get(column.name)
        for t in schema.same(table)
        if t is not table and t.source in ("sql", "alembic")
    ]
    return any(o is not None and base_type(o.type or "") == AWARE for o in others)


def _steps(table: Table, naive: list[Column]) -> tuple[str, ...]:
    steps = ["Use timestamp with time zone."]
    if any("utcnow" in (c.default or "") for c in naive):
        steps.append("Replace datetime.utcnow, which gives a value without a zone, by datetime.now(UTC).")
    if table.source != "sql":
        steps.append(
            "Convert the column in a migration: old values are read as UTC when the session is in UTC."
        )
    return tuple(steps)


def _snippet(table: Table, column: Column) -> str:
    if table.source == "sqlmodel":
        kind = "datetime | None" if column.nullable else "datetime"
        filled = column.default not in (None, "None")
        given = "default_factory=lambda: datetime.now(UTC), " if filled else ""
        given = given or ("default=None, " if column.nullable else "")
        return f"{column.name}: {kind} = Field({given}sa_type=DateTime(timezone=True))"
    if table.source == "sqlalchemy":
        return f"{column.name} = mapped_column(DateTime(timezone=True), …)"
    if table.source == "drizzle":
        return f'timestamp("{column.name}", {{ withTimezone: true }})'
    return (
        "set time zone 'UTC';\n"
        f"alter table {quoted(table.name)} alter column {quoted(column.name)} type timestamptz;"
    )
