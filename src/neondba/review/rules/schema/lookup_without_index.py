"""Rows are looked up by a column that has no index.

Every query by the column reads the whole table, and the more users there are, the more rows of others each of
them reads. With row-level security it is every query at all: the policy compares the column for each row.

## Instead

```typescript bad path=src/schema.ts
import { authenticatedRole, authUid, crudPolicy } from "drizzle-orm/neon";
import { pgTable, text } from "drizzle-orm/pg-core";

export const todos = pgTable(
  "todos",
  {
    id: text("id").primaryKey(),
    userId: text("user_id").notNull(), // <- finding
  },
  (table) => [crudPolicy({ role: authenticatedRole, read: authUid(table.userId) })],
);
```

```sql bad path=supabase/migrations/001_notes.sql
create table notes (
  id bigint primary key,
  owner_id text not null  -- <- finding
);
alter table notes enable row level security;
create policy own on notes for select using ((select auth.uid()) = owner_id);
```

```sql good path=supabase/migrations/001_notes.sql
create table notes (id bigint primary key, owner_id text not null);
create index notes_owner on notes (owner_id);
alter table notes enable row level security;
create policy own on notes for select using ((select auth.uid()) = owner_id);
```

```python bad path=app/models.py
from sqlmodel import Field, SQLModel, select


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str  # <- finding


def tasks_of(session, user_id):
    return session.exec(select(Task).where(Task.user_id == user_id)).all()
```

## When it does not matter

An index leads with the column, nothing looks rows up by it, or it is a foreign key, of which
`foreign-key-without-index` tells:

```python good path=app/models.py
from sqlmodel import Field, SQLModel, select


class Task(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    batch_id: str
    status: str


def tasks_of(session, user_id):
    return session.exec(select(Task).where(Task.user_id == user_id, Task.status == "open")).all()
```
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.postgres.statement import CreatePolicy
from neondba.project.orm_calls import OrmCalls
from neondba.project.places import is_migration
from neondba.project.python import PythonFiles
from neondba.project.schema import Column, Schema, Table
from neondba.project.sql import Role, SqlFiles
from neondba.project.typescript.nodes import Call, Member
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, quoted, words

WHO = r"(?:auth\.\w+\(\)|current_setting\([^)]*\)|session_user|current_user)"
BEFORE = re.compile(rf'(?:\w+\.)?"?(\w+)"?\s*(?:::\w+\s*)?=\s*\(*\s*(?:select\s+)?\(*\s*{WHO}', re.IGNORECASE)
AFTER = re.compile(rf'{WHO}[^=]{{0,40}}=\s*\(*(?:\w+\.)?"?(\w+)"?', re.IGNORECASE)
ASKED = re.compile(r"\b([A-Z]\w*)\.(\w+)\s*==")


@rule("NDB725", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, sql: SqlFiles, calls: OrmCalls, python: PythonFiles) -> Iterator[Finding]:
    """Find id columns that policies or queries compare and no index leads with."""
    candidates = defaultdict(list)
    for table in own_tables(schema):
        bound = {c for other in schema.same(table) for key in other.references for c in key.columns}
        for column in table.columns.values():
            if _is_id(column) and column.name not in bound and not _is_covered(schema, table, column):
                candidates[table.name.key].append((table, column))
    if not candidates:
        return
    secured, asked = _secured(sql, calls), _asked(calls, python, schema)
    for key, pairs in candidates.items():
        for table, column in pairs:
            if (key, column.name) in secured:
                yield _finding(table, column, "The policy compares", None)
            elif (key, column.name) in asked:
                yield _finding(table, column, "Queries compare", Severity.LOW)


def _is_id(column: Column) -> bool:
    parts = words(column.name)
    return len(parts) > 1 and parts[-1] == "id" and not column.primary_key and not column.unique


def _is_covered(schema: Schema, table: Table, column: Column) -> bool:
    return schema.covered(table, (column.name,)) or any(
        index.columns[:1] == (column.name,) for other in schema.same(table) for index in other.all_indexes
    )


def _secured(sql: SqlFiles, calls: OrmCalls) -> set[tuple[str, str]]:
    """Give the tables and columns that policies compare with the user."""
    found: set[tuple[str, str]] = set()
    for file in sql.of(Role.MIGRATION, Role.SCHEMA, Role.DUMP):
        if "policy" not in file.text.lower():
            continue
        for statement in file.statements:
            if isinstance(policy := statement.action, CreatePolicy):
                text = f"{policy.using or ''} {policy.check or ''}"
                names = [*BEFORE.findall(text), *AFTER.findall(text)]
                found |= {(policy.table.key, name) for name in names}
    for script in calls.files.containing("authUid"):
        for call in script.calls_of("authUid"):
            named = call.arguments[0] if isinstance(call, Call) and call.arguments else None
            if isinstance(named, Member):
                found |= _drizzle_column(calls, script.path, call.line, named.name)
    return found


def _drizzle_column(calls: OrmCalls, path: str, line: int, field: str) -> set[tuple[str, str]]:
    """Give the column of the table definition around a line."""
    around = [t for t in calls.tables if t.path == path and t.line <= line and t.named(field)]
    table = max(around, key=lambda t: t.line, default=None)
    column = table.named(field) if table else None
    return {(table.name.key, column.name)} if table and column else set()


def _asked(calls: OrmCalls, python: PythonFiles, schema: Schema) -> set[tuple[str, str]]:
    """Give the tables and columns that programs ask for by equality."""
    found: set[tuple[str, str]] = set()
    for script in calls.running():
        for _, uses in calls.functions(script):
            for use in uses:
                columns = [c for field in use.equals if (c := use.table.named(field))]
                if not any(_is_covered(schema, use.table, c) for c in columns):
                    found |= {(use.table.name.key, c.name) for c in columns}
    models = {t.label: t for t in schema.tables if t.label and t.source in ("sqlmodel", "sqlalchemy")}
    for file in python.containing(".where(", ".filter(") if models else ():
        for match in () if is_migration(file.path) else ASKED.finditer(file.text):
            table = models.get(match[1])
            column = table.named(match[2]) if table else None
            near = file.text[max(0, match.start() - 120) : match.end() + 120]
            if table and column and not any(
                _is_covered(schema, table, c) for name, field in ASKED.findall(near)
                if name == table.label and (c := table.named(field))
            ):  # fmt: skip
                found.add((table.name.key, column.name))
    return found


def _finding(table: Table, column: Column, who: str, severity: Severity | None) -> Finding:
    return Finding(
        column.path,
        column.line,
        f"{who} `{column.name}` for every row of `{table.title}`: no index leads with it.",
        (f"Add an index on `{column.name}`.", "In production build it with CONCURRENTLY."),
        _snippet(table, column),
        severity,
    )


def _snippet(table: Table, column: Column) -> str:
    if table.source == "prisma":
        return f"@@index([{column.field or column.name}])"
    if table.source == "sqlmodel":
        return f"{column.name}: … = Field(index=True)"
    name = quoted(f"{table.name.name}_{column.name}_idx")
    if table.source == "drizzle":
        return f'index("{table.name.name}_{column.name}_idx").on(table.{column.field or column.name}),'
    return f"create index concurrently {name} on {quoted(table.name)} ({quoted(column.name)});"
