"""Nothing has used an index for as long as the counters reach.

It is written with every insert and most updates, read by nothing, and vacuumed all the same. Counters begin
anew when a compute starts, so that a fresh branch proves nothing: this is only said after a week of them.

## Instead

```sql fault object=public.orders_note days=30
create table orders (id bigint primary key, placed date not null, note text);
create index orders_note on orders (note);
insert into orders select g, date '2026-01-01', 'n' || g from generate_series(1, 2000) g;
select count(*) from orders;
```

```sql repair days=30
drop index orders_note;
```

## When it does not matter

Keys, unique indexes and indexes of foreign keys work without being read:

```sql silent case=working days=30
create table users (id bigint primary key);
create table orders (id bigint primary key, number text unique, user_id bigint references users (id));
create index orders_user on orders (user_id);
select count(*) from orders;
```

```sql silent case=others days=30
create extension btree_gist;
create table rooms (id bigint primary key, hall int, at int, exclude using gist (hall with =));
select count(*) from rooms;
create table used (id bigint primary key, note text);
create index used_note on used (note);
set enable_seqscan = off;
select * from used where note = 'x';
reset enable_seqscan;
insert into used values (1, 'x');
create index concurrently used_broken  -- refused
  on used ((1 / (id - 1)));
create table parted (id bigint, note text) partition by range (id);
create index parted_note on parted (note);
```

"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Index
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.project.facts import Unavailable
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

LEAST_DAYS = 7


@rule("NDB804", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find indexes that were not scanned for a week or longer."""
    days = database.in_use().server.counted_days
    if days < LEAST_DAYS:
        raise Unavailable(f"counters for {LEAST_DAYS} days; those of this database began {days:.1f} days ago")
    keys = {(key.relation, key.columns[0]) for key in database.foreign_keys}
    for relation, indexes in database.indexes.items():
        if relation not in database.activity:
            continue
        for index in indexes:
            if index.scans == 0 and not _works_unread(index) and (relation, index.keys[0]) not in keys:
                yield _finding(database, places, index, days)


def _works_unread(index: Index) -> bool:
    return index.is_unique or index.of_constraint or not index.valid


def _finding(database: Database, places: Places, index: Index, days: float) -> Finding:
    return shown(
        places.index(index.name, index.relation, index.keys),
        f"No query has used `{plain(index.name)}` in the {days:.0f} days that this database has counted; "
        f"every insert into `{plain(index.relation)}` writes it.",
        (
            "See whether a replica or a yearly job uses it: their reads are not counted here.",
            f"Drop {plain(index.name)} if nothing does.",
        ),
        f"drop index concurrently {index.name};",
        seen=f"idx_scan = 0 for {days:.0f} days, {index.bytes // 1024:,} kB",
        database=database,
    )
