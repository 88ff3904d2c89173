"""Vacuum does not keep up with a table.

Rows that were changed or deleted stay where they are until vacuum takes them. Beyond the number at which
autovacuum begins, each further one slows every read of the table.

## Instead

```sql fault object=public.carts
create table carts (id bigint primary key, total int not null);
insert into carts select g, 0 from generate_series(1, 20000) g;
analyze carts;
update carts set total = 1;
```

```sql repair
vacuum carts;
```

## When it does not matter

Fewer than twice the rows at which autovacuum begins, by its settings for this table:

```sql silent case=few
create table carts (id bigint primary key, total int not null);
insert into carts select g, 0 from generate_series(1, 20000) g;
analyze carts;
update carts set total = 1 where id < 5000;
```

```sql silent case=small
create table kinds (id bigint primary key, total int not null);
insert into kinds select g, 0 from generate_series(1, 100) g;
analyze kinds;
update kinds set total = 1;
update kinds set total = 2;
update kinds set total = 3;
create table large (id bigint primary key, total int not null);
insert into large select g, 0 from generate_series(1, 60000) g;
analyze large;
update large set total = 1 where id <= 12000;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

LEAST = 10_000


@rule("NDB811", Category.PRODUCTION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables with twice the dead rows at which autovacuum should have begun."""
    for table in database.in_use().activity.values():
        if table.dead >= LEAST and table.dead > 2 * table.vacuum_at:
            last = f"last vacuumed {table.vacuumed:%Y-%m-%d}" if table.vacuumed else "never vacuumed here"
            yield shown(
                places.table(table.relation),
                f"`{plain(table.relation)}` carries {table.dead:,} dead rows beside {table.live:,} live "
                f"ones; autovacuum should have begun at {table.vacuum_at:,.0f}.",
                (
                    "See what holds it back: a transaction open for long, a replication slot, a prepared "
                    "transaction.",
                    "Then vacuum the table.",
                ),
                f"vacuum (analyze) {table.relation};",
                seen=f"n_dead_tup = {table.dead:,}, {last}",
                database=database,
            )
