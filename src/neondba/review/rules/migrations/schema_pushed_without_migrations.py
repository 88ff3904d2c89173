"""The schema is pushed to the database; no migration says what changed.

`prisma db push` and `drizzle-kit push` make the database look like the schema file, there and then. Nobody
sees the statements before they run, a renamed column loses its data, and nothing leads from one release to
the next or back. That is fine for a sketch; a database that others use needs a history.

## Instead

```prisma bad path=prisma/schema.prisma case=push
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model User {
  id Int @id
}
```

```json bad path=package.json case=push
{
  "name": "shop",
  "scripts": {
    "build": "next build",
    "db:push": "prisma db push"  // <- finding
  }
}
```

```typescript bad path=drizzle.config.ts case=config
import { defineConfig } from "drizzle-kit";
export default defineConfig({
  dialect: "postgresql",
  schema: "./lib/schema.ts",
  out: "./drizzle",  // <- finding
});
```

```typescript bad path=lib/schema.ts case=config
import { pgTable, serial } from "drizzle-orm/pg-core";
export const orders = pgTable("orders", { id: serial().primaryKey() });
```

```prisma good path=prisma/schema.prisma case=history
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model User {
  id Int @id
}
```

```sql good path=prisma/migrations/1_init/migration.sql case=history
create table "User" (id int primary key);
```

## When it does not matter

Another tool keeps the history, or the schema is only read from the database:

```prisma good path=prisma/schema.prisma case=other
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model User {
  id Int @id
}
```

```json good path=package.json case=other
{"scripts": {"db": "prisma db pull"}}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.schema import Schema
from neondba.project.services import Services
from neondba.project.sql import SqlFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PUSH = re.compile(r"prisma db push|drizzle-kit (?:\w+:)?push")
PULL = re.compile(r"prisma db pull|drizzle-kit (?:pull|introspect)|prisma migrate|drizzle-kit migrate")
SOURCE = re.compile(r"^[ \t]*datasource\s+\w+\s*\{[^}]*\bprovider\s*=\s*\"postgres(?:ql)?\"", re.MULTILINE)
FOLDER = re.compile(r"^[ \t]*(?:out|path)\s*:\s*[\"']", re.MULTILINE)
DIALECT = re.compile(r"dialect:\s*[\"']postgresql|driver:\s*[\"']pg[\"']|pg[- ]?core|postgres")
TOLD_IN = (".md", ".sh", ".yml", ".yaml", "package.json", "Dockerfile", "Makefile")
DRIZZLE = ("drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs")
PRISMA = ("prisma.config.ts", "prisma.config.js", "prisma.config.mjs")


@rule("NDB626", Category.MIGRATION, Severity.LOW)
def check(
    tree: Tree, sql: SqlFiles, alembic: AlembicHistory, schema: Schema, services: Services
) -> Iterator[Finding]:
    """Find schemas of Prisma and Drizzle that have no migrations."""
    if any(h.tool in ("Prisma", "Drizzle", None) for h in sql.histories) or alembic.histories:
        return
    kept = {services.of(history.files[0].path).folder for history in sql.histories}
    told = {p: tree.text(p) or "" for p in tree.named(suffix=TOLD_IN) if "node_modules/" not in p}
    pushed = [path for path, text in told.items() if PUSH.search(text)]
    pulled = any(PULL.search(text) and not PUSH.search(text) for text in told.values())
    seen: set[tuple[str, str]] = set()
    for path, tool, line in _schemas(tree, schema, certain=bool(pushed), pulled=pulled):
        folder = services.of(path).folder
        if folder in kept or (folder, tool) in seen:
            continue
        seen.add((folder, tool))
        script = f"{folder}/package.json".lstrip("/")
        match = PUSH.search(told.get(script, ""))
        if match is not None:
            path, line = script, told[script].count("\n", 0, match.start()) + 1
        yield _finding(path, line, tool)


def _schemas(tree: Tree, schema: Schema, *, certain: bool, pulled: bool) -> Iterator[tuple[str, str, int]]:
    """Give each schema's file, its tool and the line that says where its migrations would be.

    Where nothing says that the schema is pushed, only one whose configuration names a folder for
    migrations that is not there.
    """
    for tool, configs in (("drizzle-kit", DRIZZLE), ("prisma", PRISMA)):
        source = "drizzle" if tool == "drizzle-kit" else "prisma"
        if pulled or not any(table.source == source for table in schema.tables):
            continue
        for path in tree.named(*configs):
            text = tree.text(path) or ""
            named = FOLDER.search(text)
            if named and (tool == "prisma" or DIALECT.search(text)):
                yield path, tool, text.count("\n", 0, named.start()) + 1
    for path in tree.named(*DRIZZLE, suffix=".prisma") if certain else ():
        text = tree.text(path) or ""
        match = SOURCE.search(text)
        if match is not None:
            yield path, "prisma", text.count("\n", 0, text.index("datasource", match.start())) + 1
        elif path.endswith(DRIZZLE) and DIALECT.search(text):
            yield path, "drizzle-kit", 1


def _finding(path: str, line: int, tool: str) -> Finding:
    push = "drizzle-kit push" if tool == "drizzle-kit" else "prisma db push"
    first = "npx drizzle-kit generate" if tool == "drizzle-kit" else "npx prisma migrate dev --name init"
    return Finding(
        path,
        line,
        f"`{push}` changes the database without a history: nobody sees the statements, "
        "and nothing leads back.",
        ("Write the first migration from the schema.",
         "Mark databases that exist as up to date, and run migrations at each release."),
        first,
    )  # fmt: skip
