"""Most of a table's space holds no rows.

Vacuum keeps the space of removed rows for new ones and gives little of it back. Queries read it, the cache
holds it, and storage is paid for it.

## Instead

```sql fault object=public.jobs
create table jobs (id bigint primary key, body text not null);
insert into jobs select g, repeat('x', 200) from generate_series(1, 150000) g;
delete from jobs where id % 10 > 0;
vacuum analyze jobs;
```

```sql repair
vacuum full analyze jobs;
```

## When it does not matter

Less than 16 MB, less than half, or space that the next hour fills again, as in a queue. The size is an
estimate from the statistics of the columns.

```sql silent case=less
create table little (id bigint primary key, body text not null);
insert into little select g, repeat('x', 200) from generate_series(1, 20000) g;
delete from little where id % 10 > 0;
vacuum analyze little;
create table large (id bigint primary key, body text not null);
insert into large select g, repeat('x', 400) from generate_series(1, 150000) g;
delete from large where id % 10 > 6;
vacuum analyze large;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

MB = 1024 * 1024
LEAST = 16 * MB
MUCH = 1024 * MB


@rule("NDB810", Category.PRODUCTION, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables that take twice the space that their rows need, or more."""
    for table in database.in_use().activity.values():
        if table.expected is None:
            continue
        empty = table.bytes - table.expected
        if empty >= LEAST and empty * 2 >= table.bytes:
            yield shown(
                places.table(table.relation),
                f"About {empty // MB:,} of the {table.bytes // MB:,} MB of `{plain(table.relation)}` hold no "
                "rows; whoever reads the table reads them too.",
                (
                    "See whether one large delete did it, or vacuum cannot keep up.",
                    "Rebuild it in a quiet hour: VACUUM FULL locks the table, pg_repack does not.",
                ),
                f"vacuum (full, analyze) {table.relation};",
                seen=f"{table.rows:,} rows need about {table.expected // MB:,} MB, relpages say "
                f"{table.bytes // MB:,} MB",
                database=database,
                severity=Severity.MEDIUM if empty >= MUCH else None,
            )
