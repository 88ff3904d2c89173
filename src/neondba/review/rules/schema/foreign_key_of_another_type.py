"""A foreign key has another type than the key it points to.

PostgreSQL refuses the constraint where the types cannot be compared (`text` and `uuid`), so the migration or
`create_all` fails. An `integer` that points to a `bigint` is accepted, until the ids pass 2,147,483,647: from
then on no row can refer to a new parent.

## Instead

```sql bad path=schema.sql
create table users (id uuid primary key);
create table tasks (
  id uuid primary key,
  user_id text references users (id)  -- <- finding
);
```

```sql good path=schema.sql
create table users (id uuid primary key);
create table tasks (id uuid primary key, user_id uuid references users (id));
```

```python bad path=app/models.py
import uuid

from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: uuid.UUID = Field(primary_key=True)


class Task(SQLModel, table=True):
    id: uuid.UUID = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)  # <- finding
```

## When it does not matter

Texts of another length are compared all the same, and a serial column is an integer:

```sql good path=schema.sql
create table users (id serial primary key, name varchar(20) unique);
create table teams (id bigint primary key);
create table tasks (
  id bigint primary key,
  user_id integer references users (id),
  user_name text references users (name),
  team_id bigint references teams (id)
);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.sql_types import base_type
from neondba.project.schema import Column, ForeignKey, Schema, Table
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted

SIZES = {
    "smallint": 2, "smallserial": 2, "integer": 4, "serial": 4, "bigint": 8, "bigserial": 8,
}  # fmt: skip
FAMILIES = {
    **dict.fromkeys(SIZES, "integer"), "uuid": "uuid", "date": "date", "boolean": "boolean",
    **dict.fromkeys(("text", "character varying", "character", "citext"), "text"),
}  # fmt: skip


@rule("NDB720", Category.SCHEMA, Severity.HIGH)
def check(schema: Schema) -> Iterator[Finding]:
    """Find foreign keys whose column and target differ in type."""
    for table in own_tables(schema):
        for key in table.references:
            target = _target(schema, table, key)
            column = table.columns.get(key.columns[0]) if len(key.columns) == 1 else None
            if column is None or target is None:
                continue
            one, other = base_type(column.type or ""), base_type(target.type or "")
            if one not in FAMILIES or other not in FAMILIES or "[]" in f"{column.type}{target.type}":
                continue
            if FAMILIES[one] != FAMILIES[other]:
                yield _finding(table, column, key, target, refused=True)
            elif SIZES.get(one, 8) < SIZES.get(other, 0):
                yield _finding(table, column, key, target, refused=False)


def _target(schema: Schema, table: Table, key: ForeignKey) -> Column | None:
    """Give the column that a key points to, in a definition from the same source."""
    for other in schema.same_name(key.table):
        if other.source == table.source and other.whole and other.shares_database(table):
            name = key.ref_columns[0] if key.ref_columns else (other.primary_key or ("",))[0]
            return other.named(name)
    return None


def _finding(table: Table, column: Column, key: ForeignKey, target: Column, *, refused: bool) -> Finding:
    harm = (
        "PostgreSQL refuses the foreign key, and with it the migration"
        if refused
        else "ids above its range cannot be referred to"
    )
    wanted = {"serial": "integer", "bigserial": "bigint"}.get(str(target.type), str(target.type))
    return Finding(
        column.path,
        column.line,
        f"`{table.name}.{column.name}` is {column.type}, `{key.table}.{target.name}` is {target.type}: "
        f"{harm}.",
        (f"Give `{column.name}` the type {wanted}.",),
        f"alter table {quoted(table.name)} alter column {quoted(column.name)} type {wanted} "
        f"using {quoted(column.name)}::{wanted};",
        None if refused else Severity.LOW,
    )
