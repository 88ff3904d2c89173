"""Queries read a large table from end to end, again and again.

An index is missing for what they look for, or they ask for more rows than they need.

## Instead

```sql fault object=public.events
create table events (id bigint primary key, kind text not null);
insert into events select g, 'k' || g % 5000 from generate_series(1, 60000) g;
analyze events;
do $$ begin for i in 1..60 loop perform id from events where kind = 'k' || i; end loop; end $$;
```

```sql repair
create index events_kind on events (kind);
do $$ begin for i in 1..200 loop perform id from events where kind = 'k' || i; end loop; end $$;
```

## When it does not matter

Small tables are read faster without an index; and a job that reads everything once a day needs none:

```sql silent case=once
create table events (id bigint primary key, kind text not null);
insert into events select g, 'k' from generate_series(1, 60000) g;
analyze events;
select count(*) from events where kind = 'x';
```

```sql silent case=little
create table kinds (id bigint primary key, kind text not null);
insert into kinds select g, 'k' from generate_series(1, 100) g;
do $$ begin for i in 1..60 loop perform id from kinds where kind = 'x'; end loop; end $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

LARGE = 50_000
OFTEN = 50


@rule("NDB809", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find large tables that are read whole more often than by index."""
    days = database.in_use().server.counted_days
    for table in database.activity.values():
        if table.whole_reads < OFTEN:
            continue
        each = table.rows_in_whole_reads // table.whole_reads
        if each >= LARGE and table.whole_reads > table.index_reads:
            yield shown(
                places.table(table.relation),
                f"`{plain(table.relation)}` was read from end to end {table.whole_reads:,} times, {each:,} "
                f"rows each time; an index was used {table.index_reads:,} times.",
                (
                    "Find the queries: pg_stat_statements lists them by time.",
                    "Try an index for them on a branch, and keep it if the query got faster.",
                ),
                seen=f"seq_scan = {table.whole_reads:,}, seq_tup_read = {table.rows_in_whole_reads:,} in "
                f"{days:.1f} days",
                database=database,
            )
