"""An index does what the beginning of a longer one does.

PostgreSQL finds rows by the leading columns of an index as well as by all of them. The shorter index is
written with every insert and is hardly ever chosen.

## Instead

```sql fault object=public.visits_user
create table visits (id bigint primary key, user_id bigint not null, at timestamptz not null);
create index visits_user on visits (user_id);
create index visits_user_at on visits (user_id, at);
```

```sql repair
drop index visits_user;
```

```sql fault case=key object=public.tags_id
create table tags (id bigint primary key, name text not null);
create index tags_id on tags (id);
```

```sql repair case=key
drop index tags_id;
```

## When it does not matter

A unique index promises something of its own, and an index with another order, class or condition serves
other queries:

```sql silent case=others
create table seats (id bigint primary key, hall int not null, row int not null);
create unique index seats_hall on seats (hall);
create index seats_hall_row on seats (hall, row);
create index seats_row on seats (row desc);
create index seats_row_hall on seats (row, hall);
create index seats_row_some on seats (row) where hall = 1;
```

```sql silent case=kinds
create table posts (id bigint primary key, tags text[], more text[], at int, kind int);
create index on posts using gin (tags);
create index on posts using gin (tags, more);
create index on posts (at) include (kind);
create index on posts (at, id);
create table seats (id bigint primary key, hall int, row int);
insert into seats values (1, 1, 0), (2, 1, 0);
create index seats_hall on seats (hall);
create unique index concurrently seats_place  -- refused
  on seats (hall, row);
create index concurrently seats_share  -- refused
  on seats ((1 / row));
create index seats_share_hall on seats ((1 / nullif(row, 0)), hall);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Index
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB803", Category.SCHEMA, Severity.LOW, shows="NDB708")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find plain indexes that lead another index."""
    for indexes in database.indexes.values():
        for index in indexes:
            longer = next((other for other in indexes if _replaces(other, index)), None)
            if longer is not None:
                yield shown(
                    places.index(index.name, index.relation, index.keys),
                    f"Every insert into `{plain(index.relation)}` writes `{plain(index.name)}` for nothing: "
                    f"`{plain(longer.name)}` begins with ({', '.join(index.keys)}) as well.",
                    (f"Drop {plain(index.name)}, after a look at the slowest queries of the table.",),
                    f"drop index concurrently {index.name};",
                    seen=f"{index.name} ({', '.join(index.keys)}) leads {longer.name} "
                    f"({', '.join(longer.keys)})",
                    database=database,
                )


def _replaces(other: Index, index: Index) -> bool:
    if not (other.valid and index.valid) or index.method != "btree":
        return False
    if index.is_unique or index.included:
        return False
    if other.condition != index.condition or other.exact[: len(index.exact)] != index.exact:
        return False
    return len(other.exact) > len(index.exact) or other.is_unique
