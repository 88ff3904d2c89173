"""A table has no primary key.

Its rows cannot be told apart: a duplicate cannot be removed without removing both, an ORM cannot update one
row, and logical replication refuses updates and deletes on the table.

## Instead

```sql bad path=schema.sql
create table readings (  -- <- finding
  sensor_id bigint not null,
  value numeric not null
);
```

```sql good path=schema.sql
create table readings (
  id bigint generated always as identity primary key,
  sensor_id bigint not null,
  value numeric not null
);
```

## When it does not matter

The key comes in a later statement or file, or the table takes its columns from another one:

```sql good path=migrations/001_readings.sql case=later
create table readings (id bigint not null, value numeric);
create table readings_2024 partition of readings for values from (1) to (9);
create temporary table batch (value numeric);
```

```sql good path=migrations/002_key.sql case=later
alter table readings add primary key (id);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Schema, Table
from neondba.project.version_tables import VERSION_TABLES
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted


@rule("NDB705", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema) -> Iterator[Finding]:
    """Find tables whose rows cannot be told apart."""
    for table in own_tables(schema):
        if table.source in ("sqlmodel", "prisma") or table.name.name.lower() in VERSION_TABLES:
            continue
        if not any(other.primary_key for other in schema.same(table)):
            yield Finding(
                table.path,
                table.line,
                f"Rows of `{table.name}` cannot be told apart: duplicates cannot be removed one by one, and "
                "logical replication refuses to update or delete.",
                ("Add a primary key.",),
                _snippet(table),
            )


def _snippet(table: Table) -> str:
    if table.source == "sql":
        return (
            f"alter table {quoted(table.name)} add column id bigint generated always as identity primary key;"
        )
    return 'sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True)'
