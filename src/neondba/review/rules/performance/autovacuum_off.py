"""Autovacuum is switched off.

Dead rows stay, statistics grow old, and in the end PostgreSQL vacuums all the same, to save its transaction
ids, at a moment that nobody chose.

## Instead

```sql fault object=public.imports
create table imports (id bigint primary key) with (autovacuum_enabled = off);
```

```sql repair
alter table imports reset (autovacuum_enabled);
```

## When it does not matter

For the time of a large load, if something switches it on again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

OFF = re.compile(r"^autovacuum_enabled=(off|false|no|0)$", re.IGNORECASE)


@rule("NDB813", Category.PRODUCTION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find servers and tables without autovacuum."""
    server = database.server
    if not server.autovacuum:
        yield shown(
            places.other(server.database),
            f"No table of `{server.database}` is vacuumed or analyzed by itself: autovacuum is off.",
            ("Switch autovacuum and track_counts on.",),
            seen="the settings autovacuum and track_counts are not both on",
            database=database,
        )
    for table in database.tables:
        if any(OFF.match(option) for option in table.options):
            yield shown(
                places.table(table.name),
                f"`{plain(table.name)}` is never vacuumed nor analyzed by itself: autovacuum is off for it.",
                ("Switch it on again.",),
                f"alter table {table.name} reset (autovacuum_enabled);",
                seen=f"{table.name} has {', '.join(table.options)}",
                database=database,
            )
