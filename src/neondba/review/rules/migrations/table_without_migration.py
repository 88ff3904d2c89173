"""The code has a table that no migration makes.

A model was added and its migration was not: on every database that is made by the migrations the table is
missing, and the first query on it fails. A developer whose database was pushed or filled by `create_all`
does not notice.

## Instead

```ts bad path=src/schema.ts case=drizzle
import { pgTable, integer, text } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: integer("id").primaryKey() });
export const notes = pgTable("notes", { id: integer("id").primaryKey() });  // <- finding
```

```sql bad path=drizzle/0000_init.sql case=drizzle
create table "users" ("id" integer primary key);
```

```json bad path=drizzle/meta/_journal.json case=drizzle
{"dialect": "postgresql", "entries": [{"idx": 0, "tag": "0000_init"}]}
```

```sh
npx drizzle-kit generate
```

```prisma bad path=prisma/schema.prisma case=prisma
datasource db {
  provider = "postgresql"
}

model User {
  id Int @id
}

model Note {  // <- finding
  id Int @id
}
```

```sql bad path=prisma/migrations/1_init/migration.sql case=prisma
create table "User" (id int primary key);
```

## When it does not matter

A migration makes the table, under whatever name it has now:

```ts good path=src/schema.ts case=made
import { pgTable, integer } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: integer("id").primaryKey() });
```

```sql good path=drizzle/0000_init.sql case=made
create table "people" ("id" integer primary key);
alter table "people" rename to "users";
```

```json good path=drizzle/meta/_journal.json case=made
{"dialect": "postgresql", "entries": [{"idx": 0, "tag": "0000_init"}]}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.migration_steps import MigrationSteps
from neondba.project.schema import Schema, Table
from neondba.project.schema_alembic import alembic_tables
from neondba.project.schema_sql import SqlState
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._application import NOT_THE_APP
from neondba.review.rules.migrations._shared import listed

MAKER = {"prisma": "Prisma", "drizzle": "Drizzle", "sqlalchemy": "Alembic", "sqlmodel": "Alembic"}
COMMAND = {
    "prisma": "npx prisma migrate dev", "drizzle": "npx drizzle-kit generate",
    "sqlalchemy": "alembic revision --autogenerate", "sqlmodel": "alembic revision --autogenerate",
}  # fmt: skip


@rule("NDB627", Category.MIGRATION, Severity.MEDIUM)
def check(
    schema: Schema, sql: SqlFiles, alembic: AlembicHistory, migrations: MigrationSteps
) -> Iterator[Finding]:
    """Find tables of models that the migrations of their own tool never make."""
    for source in MAKER:
        tables = [
            t
            for t in schema.tables
            if t.source == source and t.provider is None and not NOT_THE_APP.search(t.path)
        ]
        made = _made(source, sql, alembic)
        if MAKER[source] == "Alembic" and any(s.alembic and s.ref_known is False for s in migrations.steps):
            continue  # Its tables stand elsewhere, or another rule tells of it.
        if not made or not tables or not any(t.name.key in made for t in tables):
            continue
        missing = [t for t in tables if not (_names(t) & made)]
        if missing and len(missing) * 2 <= len(tables):
            yield _finding(missing, source)


def _names(table: Table) -> set[str]:
    return {table.name.key, table.name.name.lower()}


def _made(source: str, sql: SqlFiles, alembic: AlembicHistory) -> set[str]:
    """Give the names of the tables that the tool's migrations leave behind."""
    found: set[str] = set()
    histories = [h for h in sql.histories if MAKER[source] in (h.tool, "Alembic")]
    for history in histories:
        state = SqlState()
        for file in history.files:
            for statement in () if file.backward else file.statements:
                state.apply(file.path, statement)
        found |= {name for t in state.tables.values() for name in _names(t)}
    if MAKER[source] == "Alembic":
        if len(alembic.histories) != 1:
            return set()
        found |= {name for t in alembic_tables(alembic, True) for name in _names(t)}
    return found


def _finding(missing: list[Table], source: str) -> Finding:
    first, several = missing[0], len(missing) > 1
    return Finding(
        first.path,
        first.line,
        f"{listed(str(t.name) for t in missing)} {'are' if several else 'is'} in the code, and no migration "
        f"makes {'them' if several else 'it'}: on a database that they made, the first query fails.",
        ("Let the tool write the missing migration, read it, and commit it with the model.",),
        COMMAND[source],
    )
