"""A model says something else than the table that the migrations make.

The application writes what the model says, the database stores what the migrations made. A naive
`datetime` written to a `timestamptz` column is read as local time of the session, and asyncpg refuses it;
a uuid compared with a text column finds nothing or fails.

## Instead

```sql bad path=migrations/001_tasks.sql case=drift
create table if not exists tasks (id uuid primary key, created_at timestamptz not null default now());
```

```python bad path=app/models.py case=drift
from datetime import UTC, datetime
from uuid import UUID

from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    __tablename__ = "tasks"
    id: UUID = Field(primary_key=True)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))  # <- finding
```

```text bad path=requirements.txt case=drift
sqlmodel==0.0.27
```

```sql good path=migrations/001_tasks.sql case=same
create table if not exists tasks (id uuid primary key, created_at timestamptz not null default now());
```

```python good path=app/models.py case=same
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    __tablename__ = "tasks"
    id: UUID = Field(primary_key=True)
    created_at: datetime = Field(
        default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True)
    )
```

## When it does not matter

Kinds of text and sizes of integers stand for each other without harm:

```sql good path=migrations/001_tags.sql case=kinds
create table if not exists tags (id bigint primary key, name varchar(80) not null);
```

```python good path=app/models.py case=kinds
from sqlmodel import Field, SQLModel


class Tag(SQLModel, table=True):
    __tablename__ = "tags"
    id: int = Field(primary_key=True)
    name: str
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import AWARE, NAIVE, TEXTS, base_type
from neondba.project.schema import Column, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import modelled, own_tables

FAMILIES = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(("integer", "bigint", "smallint", "serial", "bigserial", "smallserial"), "integer"),
    "uuid": "uuid", "boolean": "boolean", NAIVE: "timestamp", AWARE: "timestamptz", "date": "date",
}  # fmt: skip


@rule("NDB716", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find model columns whose type differs in kind from the migrated one."""
    for table in own_tables(schema):
        if not modelled(table):
            continue
        made = [t for t in schema.same(table) if t.source in ("sql", "alembic") and t.shares_database(table)]
        for column in table.columns.values():
            real = next((t.columns[column.name] for t in reversed(made) if column.name in t.columns), None)
            if real is not None and _unlike(column, real):
                yield _finding(table, column, real)


def _unlike(column: Column, real: Column) -> bool:
    one, other = FAMILIES.get(base_type(column.type or "")), FAMILIES.get(base_type(real.type or ""))
    arrays = "[]" in f"{column.type}{real.type}"
    return one is not None and other is not None and one != other and not arrays


def _finding(table: Table, column: Column, real: Column) -> Finding:
    times = {base_type(column.type or ""), base_type(real.type or "")} == {NAIVE, AWARE}
    harm = "values shift by the session's offset, and asyncpg refuses them" if times else "comparisons fail"
    wanted = "DateTime(timezone=True)" if base_type(real.type or "") == AWARE else str(real.type)
    return Finding(
        column.path,
        column.line,
        f"The model says `{table.name}.{column.name}` is {column.type}, {real.path}:{real.line} makes it "
        f"{real.type}: {harm}.",
        ("Give the model's column the type of the table, or migrate the table to the model's.",),
        f"{column.name}: … = Field(…, sa_type={wanted})" if table.source == "sqlmodel" else wanted,
        None if times else Severity.MEDIUM,
    )
