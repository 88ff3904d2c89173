"""A table is not in the log, and is emptied by a crash.

On Neon that is every restart and every suspend of the compute: unlogged tables live on its disk alone. They
are not in branches, replicas or restores either.

## Instead

```sql fault object=public.sessions
create unlogged table sessions (id text primary key, data jsonb);
```

```sql repair
alter table sessions set logged;
```

## When it does not matter

Rows that may vanish at any moment: caches, and steps of an import.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB749", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find unlogged tables."""
    for table in database.tables:
        if table.unlogged:
            yield shown(
                places.table(table.name),
                f"All rows of `{plain(table.name)}` are gone after a crash, and on Neon after each "
                "suspend: the table is unlogged.",
                ("Log it, unless its rows may vanish at any moment.",),
                f"alter table {table.name} set logged;",
                seen=f"relpersistence of {table.name} is u",
                database=database,
            )
