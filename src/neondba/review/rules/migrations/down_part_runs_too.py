"""The way back stands in the same file, and the tool runs it at once.

Some tools know marks that divide a file into up and down (goose, dbmate, golang-migrate's two files).
Prisma, Drizzle, Supabase and Flyway know none: they run the whole file. What the first part makes, the
second part takes away again in the same moment, with the data that was moved.

## Instead

```sql bad path=prisma/migrations/2_read_at/migration.sql
-- Up
alter table notes add column read_at timestamptz;

-- Down
alter table notes drop column read_at;  -- <- finding
```

```sql good path=prisma/migrations/2_read_at/migration.sql
alter table notes add column read_at timestamptz;
```

## When it does not matter

A comment at the head of the file only tells how to go back:

```sql good path=supabase/migrations/20260101_read_at.sql
-- Rollback: alter table notes drop column read_at;
alter table notes add column read_at timestamptz;
```

The tool knows the mark:

```sql good path=db/migrations/20260101_read_at.sql
-- migrate:up
alter table notes add column read_at timestamptz;

-- migrate:down
alter table notes drop column read_at;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.sql import Role, SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

UNDOES = re.compile(r"\bdrop\b|\bdelete\b|\brename\b", re.IGNORECASE)
KNOW_NO_MARK = frozenset({"Prisma", "Drizzle", "Supabase", "Flyway"})


@rule("NDB629", Category.MIGRATION, Severity.HIGH)
def check(sql: SqlFiles) -> Iterator[Finding]:
    """Find down parts in files that run as a whole."""
    for file in sql.of(Role.MIGRATION):
        if file.tool not in KNOW_NO_MARK or file.backward or not file.statements or not file.down:
            continue
        if not any(UNDOES.search(statement.text) for statement in file.down):
            continue
        first = file.down[0]
        yield Finding(
            file.path,
            first.line,
            f"{file.tool} runs this file as a whole: what stands under the mark for the way "
            "back runs at once and undoes the migration.",
            ("Remove the way back from the file.",
             "Keep it in a file of its own that no tool runs, or write a migration when it is needed."),
            first.text.strip().split("\n")[0],
        )  # fmt: skip
