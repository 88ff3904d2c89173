"""The model has columns that no migration makes.

The developer's own database got them with `db push`, `create_all` or by hand. On every database that is built
from the migrations, production and the next branch among them, each query on the table fails.

## Instead

```prisma bad path=prisma/schema.prisma case=prisma
model User {
  id       String @id
  name     String
  nickname String // <- finding
}
```

```sql bad path=prisma/migrations/20250101000000_init/migration.sql case=prisma
CREATE TABLE "User" ("id" TEXT NOT NULL, "name" TEXT NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
```

```toml bad path=prisma/migrations/migration_lock.toml case=prisma
provider = "postgresql"
```

```prisma good path=prisma/schema.prisma case=prisma
model User {
  id       String @id
  name     String
  nickname String
}
```

```sql good path=prisma/migrations/20250101000000_init/migration.sql case=prisma
CREATE TABLE "User" ("id" TEXT NOT NULL, "name" TEXT NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
```

```sql good path=prisma/migrations/20250201000000_nickname/migration.sql case=prisma
ALTER TABLE "User" ADD COLUMN "nickname" TEXT NOT NULL;
```

```toml good path=prisma/migrations/migration_lock.toml case=prisma
provider = "postgresql"
```

## When it does not matter

A project without migrations keeps its schema in another way, a few statements beside a schema are no history,
and a program that makes its tables and then stamps the history needs no migration for them:

```prisma good path=prisma/schema.prisma case=pushed
model User {
  id String @id
}
model Note {
  id String @id
}
```

```sql good path=sql/extensions.sql case=pushed
create extension if not exists vector;
```
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.python import PythonFiles
from neondba.project.schema import Column, Schema, Table
from neondba.project.sql import Role, SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import listed, own_tables

MODELS = frozenset({"sqlmodel", "sqlalchemy", "prisma", "drizzle"})
STEPS = {
    "prisma": "npx prisma migrate dev --create-only",
    "drizzle": "npx drizzle-kit generate",
    "sqlmodel": "alembic revision --autogenerate -m 'what is missing'",
    "sqlalchemy": "alembic revision --autogenerate -m 'what is missing'",
}


@rule("NDB722", Category.SCHEMA, Severity.MEDIUM)
def check(schema: Schema, sql: SqlFiles, alembic: AlembicHistory, python: PythonFiles) -> Iterator[Finding]:
    """Find columns of models that migrations do not make, once a part of the project."""
    if not _can_be_followed(sql, alembic) or any(".stamp(" in f.text for f in python.containing("alembic")):
        return
    made = [
        t
        for t in schema.definitions
        if t.whole and (t.source == "alembic" or (t.source == "sql" and sql[t.path].role is Role.MIGRATION))
    ]
    texts = [file.text for history in sql.histories for file in history.files]
    texts += [revision.file.text for history in alembic.histories for revision in history.ordered]
    parts: dict[str, list[Table]] = defaultdict(list)
    for table in own_tables(schema):
        if table.source in MODELS:
            parts[table.root].append(table)
    for models in parts.values():
        yield from _in_part(models, [t for t in made if t.shares_database(models[0])], texts)


def _can_be_followed(sql: SqlFiles, alembic: AlembicHistory) -> bool:
    """Tell whether every table that the migrations make is known."""
    for history in alembic.histories:
        for revision in history.ordered:
            if "create_all(" in revision.file.text or "read_text(" in revision.file.text:
                return False
    for steps in sql.histories:
        for file in steps.files:
            if any(s.error and "TABLE" in s.text.upper() for s in file.statements):
                return False
    return True


def _in_part(models: list[Table], made: list[Table], texts: list[str]) -> Iterator[Finding]:
    names = {_plain(t.name.name): t for t in made}
    if not made or 2 * sum(_plain(t.name.name) in names for t in models) < len(models):
        return
    columns = [
        (t, c)
        for t in models
        if (real := names.get(_plain(t.name.name))) is not None
        for c in t.columns.values()
        if c.path == t.path and _plain(c.name) not in {_plain(n) for n in real.columns}
    ]
    columns = [(t, c) for t, c in columns if not any(_adds(text, t, c) for text in texts)]
    if columns:
        yield _finding(columns)


def _adds(text: str, table: Table, column: Column) -> bool:
    """Tell whether a migration names table and column at all, in whatever order the files run."""
    names = (table.name.name, column.name)
    return all(re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) for name in names)


def _plain(name: str) -> str:
    """Bring the spellings of one name together: the tool may turn `createdAt` into `created_at`."""
    return name.lower().replace("_", "")


def _finding(columns: list[tuple[Table, Column]]) -> Finding:
    table, place = min(columns, key=lambda pair: (pair[1].path, pair[1].line))
    what = [f"{t.name.name}.{c.name}" for t, c in columns]
    more = f" and {len(what) - 5} more" if len(what) > 5 else ""
    return Finding(
        place.path,
        place.line,
        f"No migration makes {listed(what[:5])}{more}: on a database built from the migrations, every "
        "query that names them fails.",
        (f"Let {table.source.capitalize()}'s own tool write the missing migration, and read it.",),
        STEPS[table.source],
        also=tuple((p.path, p.line) for _, p in columns if p is not place),
    )
