"""A column names an owner or parent that need not exist.

Without a foreign key, rows outlive the account they belong to, a typing error makes rows of nobody, and a
new account that gets an old number inherits them. When the two columns have different types, no foreign
key is possible and each join converts every row.

## Instead

```sql bad path=schema.sql
create table users (id uuid primary key);
create table tasks (
  id uuid primary key,
  user_id varchar(255) not null  -- <- finding
);
```

```sql good path=schema.sql
create table users (id uuid primary key);
create table tasks (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade
);
```

```python bad path=app/models.py
import uuid

from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: uuid.UUID = Field(primary_key=True)


class Task(SQLModel, table=True):
    id: uuid.UUID = Field(primary_key=True)
    user_id: str = Field(index=True)  # <- finding
```

## When it does not matter

The other table is not in this database, the id belongs to another system, the reference may point to
several tables, or the table is a log that must outlive what it tells of:

```sql good path=schema.sql
create table users (id uuid primary key, stripe_customer_id text);
create table payments (id uuid primary key, customer_id text, order_id uuid);
create table comments (id uuid primary key, user_type text, user_id uuid);
create table audit_log (id uuid primary key, user_id uuid);
```

```python good path=app/models.py
from sqlmodel import Field, SQLModel


class User(SQLModel, table=True):
    id: int = Field(primary_key=True)


class Visit(SQLModel, table=True):
    id: int = Field(primary_key=True)
    user_id: str = Field(description="the user's id at the SSO provider")
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.sql_types import base_type
from neondba.project.schema import Column, Schema, Table
from neondba.project.schema_provider import plain
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import EXAMPLES, modelled, own_tables, quoted, words

OWNERS = frozenset({"user", "owner", "author", "creator", "assignee"})
VAGUE = frozenset(
    {"session", "request", "message", "event", "transaction", "account", "client", "device", "token"}
)
LOGS = frozenset(
    {
        *("audit", "log", "logs", "history", "event", "events", "archive", "analytics", "snapshot", "outbox"),
        *("cache", "metric", "metrics", "usage", "backup", "staging", "import", "raw"),
    }
)
ELSEWHERE = re.compile(
    r"\bsso\b|external|extern\b|third[- ]party|stripe|clerk|auth0|keycloak|firebase|cognito|github|remote",
    re.IGNORECASE,
)
INTEGERS = frozenset({"integer", "bigint", "smallint", "serial", "bigserial", "smallserial"})
TEXTS = frozenset({"text", "character varying", "character", "citext"})


@rule("NDB702", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema) -> Iterator[Finding]:
    """Find owner and parent columns without a foreign key."""
    for table in own_tables(schema):
        if LOGS.intersection(words(table.name.name)):
            continue
        bound = {c for other in schema.same(table) for key in other.references for c in key.columns}
        for column in table.columns.values():
            target = None if column.name in bound or column.primary_key else _target(schema, table, column)
            if target is not None and not _is_other_number(column, target):
                yield _finding(table, column, target)


def _target(schema: Schema, table: Table, column: Column) -> Table | None:
    base = re.sub(r"(_id|Id|_ID)$", "", column.name)
    if base == column.name or ELSEWHERE.search(column.note):
        return None
    base = plain(base)
    if base in VAGUE or any(plain(c) == base + "type" for c in table.columns):
        return None
    names = {"user", "appuser"} if base in OWNERS else {base}
    for other in schema.definitions:
        if (
            plain(other.name.name) in names
            and other.shares_database(table)
            and other.whole
            and not EXAMPLES.search(other.path)
            and other.name.key != table.name.key
            and other.primary_key
        ):
            return other
    return None


def _is_other_number(column: Column, target: Table) -> bool:
    """Tell whether an owner's or author's id cannot be one of ours: a number on a card, a name elsewhere."""
    key = target.columns.get(target.primary_key[0])
    named = plain(column.name).removesuffix("id") in (plain(target.name.name), plain(target.label), "user")
    return not named and key is not None and _unlike(column.type, key.type)


def _key(column: Column, target: Table) -> str:
    """Give the column it refers to: the primary key, or the unique one of the same name and type."""
    own = target.columns.get(column.name)
    same = own is not None and own.unique and not _unlike(column.type, own.type)
    return column.name if same else target.primary_key[0]


def _finding(table: Table, column: Column, target: Table) -> Finding:
    key = target.columns.get(_key(column, target))
    unlike = key is not None and _unlike(column.type, key.type)
    types = f" It is {column.type}, `{target.name}.{key.name}` is {key.type}." if unlike and key else ""
    return Finding(
        column.path,
        column.line,
        f"`{table.name}.{column.name}` may point to no row of `{target.name}`: without a foreign key, rows "
        f"outlive what they belong to.{types}",
        (
            *(
                (f"Give `{column.name}` the type of `{target.name}.{_key(column, target)}`.",)
                if unlike
                else ()
            ),
            "Delete or repair rows that point nowhere.",
            "Add the foreign key as NOT VALID, then validate it.",
        ),
        _snippet(table, column, target),
    )


def _unlike(one: str | None, other: str | None) -> bool:
    if not one or not other:
        return False

    def family(type_: str) -> str:
        base = base_type(type_)
        return "integer" if base in INTEGERS else "text" if base in TEXTS else base

    return family(one) != family(other)


def _snippet(table: Table, column: Column, target: Table) -> str:
    key = _key(column, target)
    if table.source == "sqlmodel":
        return f'{column.name}: … = Field(foreign_key="{target.name}.{key}", index=True, ondelete="CASCADE")'
    if modelled(table):
        reference = f'ForeignKey("{target.name}.{key}", ondelete="CASCADE")'
        return f"{column.name} = mapped_column({reference}, index=True)"
    if table.source == "prisma":
        return (
            f"{target.title.lower()} {target.title} @relation(fields: [{column.name}], references: [{key}])"
        )
    name = quoted(f"{table.name.name}_{column.name}_fkey")
    return (
        f"alter table {quoted(table.name)} add constraint {name} foreign key ({quoted(column.name)}) "
        f"references {quoted(target.name)} ({quoted(key)}) on delete cascade not valid;"
    )
