"""The planner knows nothing about a table.

Without statistics it guesses how many rows a condition leaves, and guesses badly. That is so after an import
or a restore, until ANALYZE has run.

## Instead

```sql fault object=public.readings
create table readings (id bigint primary key, value text not null);
insert into readings select g, repeat('v', 60) from generate_series(1, 20000) g;
```

```sql repair
analyze readings;
```

## When it does not matter

Tables under 1 MB, and tables that we may not read:

```sql silent case=small
create table countries (code text primary key, name text not null);
insert into countries values ('de', 'Germany');
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB812", Category.PRODUCTION, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables with rows and without statistics."""
    for table in database.in_use().activity.values():
        if table.unanalyzed:
            yield shown(
                places.table(table.relation),
                f"Queries on `{plain(table.relation)}` are planned by guessing: nobody has "
                "analyzed the table.",
                ("Analyze it, and after every import and restore.",),
                f"analyze {table.relation};",
                seen=f"pg_stats has no row for {table.relation}",
                database=database,
            )
