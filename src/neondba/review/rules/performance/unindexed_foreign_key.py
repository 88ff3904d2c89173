"""A foreign key in the database has no index.

Every delete of a parent row, and every query for the children of one parent, reads the whole child table.
Seen in the database itself: what the models say may have been lost on the way there.

## Instead

```sql fault object=public.items.owner_id
create table users (id bigint primary key);
create table items (id bigint primary key, owner_id bigint not null references users (id));
```

```sql repair
create index items_owner_id on items (owner_id);
```

```sql fault case=two-columns object=public.seats.seats_hall_row_fkey
create table places (hall int, row int, primary key (hall, row));
create table seats (id bigint primary key, hall int, row int, foreign key (hall, row) references places);
create index seats_row on seats (row);
```

```sql repair case=two-columns
create index seats_place on seats (row, hall);
```

## When it does not matter

A longer index that leads with the columns serves as well, in any order of them, and so does one that leaves
out nothing but nulls.

```sql silent case=served
create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint references users (id), at timestamptz);
create index notes_user_at on notes (user_id, at);
create table drafts (id bigint primary key, user_id bigint references users (id));
create index drafts_user on drafts (user_id) where user_id is not null;
create table profiles (user_id bigint primary key references users (id));
```

An index that was never finished, or of a kind that keeps no order, serves nothing:

```sql fault case=useless object=public.notes.user_id,public.drafts.user_id
create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint references users (id));
create index notes_user on notes using brin (user_id);
create table drafts (id bigint primary key, user_id bigint references users (id));
insert into users values (1);
insert into drafts values (1, 1), (2, 1);
create unique index concurrently drafts_user  -- refused
  on drafts (user_id);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Constraint, Index
from neondba.project.database import Database
from neondba.project.database_places import Places, bare
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB801", Category.SCHEMA, Severity.MEDIUM, shows="NDB701")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find foreign keys that no valid index leads with."""
    for key in database.foreign_keys:
        if not any(_serves(index, key) for index in database.indexes.get(key.relation, ())):
            names, words = ", ".join(key.columns), ", ".join(map(bare, key.columns))
            yield shown(
                places.foreign_key(key.relation, key.columns, key.name),
                f"Deleting one row of `{plain(key.parent)}` reads all of `{plain(key.relation)}`, and "
                f"so does every query by `{words}`: the foreign key has no index in the database.",
                (f"Add an index on {names}.", "In production build it with CONCURRENTLY."),
                f"create index concurrently on {key.relation} ({names});",
                seen=f"constraint {key.name}: {key.definition}; no index leads with {names}",
                database=database,
            )


def _serves(index: Index, key: Constraint) -> bool:
    if not index.valid or index.method not in ("btree", "hash"):
        return False
    if index.condition and index.condition != f"({key.columns[0]} IS NOT NULL)":
        return False
    return set(index.keys[: len(key.columns)]) == set(key.columns)
