"""The schema is pushed to the database; no migration says what changed.

`prisma db push` and `drizzle-kit push` make the database look like the schema file, there and then. Nobody
sees the statements before they run, a renamed column loses its data, and nothing leads from one release to
the next or back. That is fine for a sketch; a database that others use needs a history.

## Instead

```prisma bad path=prisma/schema.prisma case=push
datasource db {  // <- finding
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model User {
  id Int @id
}
```

```json bad path=package.json case=push
{"scripts": {"db:push": "prisma db push"}, "dependencies": {"@prisma/client": "6"}}
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
from neondba.project.sql import SqlFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

PUSH = re.compile(r"prisma db push|drizzle-kit (?:\w+:)?push|(?:npx|pnpm|yarn|bunx?) (?:\w+ )?prisma db push")
SOURCE = re.compile(r"^\s*datasource\s+\w+\s*\{[^}]*\bprovider\s*=\s*\"postgres(?:ql)?\"", re.MULTILINE)
TOLD_IN = (".md", ".sh", ".yml", ".yaml", "package.json", "Dockerfile", "Makefile")


@rule("NDB626", Category.MIGRATION, Severity.LOW)
def check(tree: Tree, sql: SqlFiles, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find schemas of Prisma and Drizzle that are pushed and have no migrations."""
    if sql.histories or alembic.histories:
        return
    told = (p for p in tree.named(suffix=TOLD_IN) if "node_modules/" not in p)
    if not any(PUSH.search(tree.text(p) or "") for p in told):
        return
    for path in (*tree.named(suffix=".prisma"), *tree.named("drizzle.config.ts", "drizzle.config.js")):
        text = tree.text(path) or ""
        match = SOURCE.search(text)
        drizzle = path.endswith(("drizzle.config.ts", "drizzle.config.js")) and "postgres" in text
        if match is not None or drizzle:
            start = match.start() + len(match[0]) - len(match[0].lstrip()) if match else 0
            yield _finding(path, text.count("\n", 0, start) + 1, "drizzle-kit" if drizzle else "prisma")
            return


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
