"""A foreign key has another type than the key it points at.

Every check and every join converts one of them. A narrower one fails first: an `integer` cannot point at row
3,000,000,000 of a `bigint` key.

## Instead

```sql fault object=public.posts.user_id says=cannot&be&pointed&at
create table users (id bigint primary key);
create table posts (id bigint primary key, user_id integer references users (id));
create index posts_user on posts (user_id);
```

```sql repair
alter table posts alter column user_id type bigint;
```

## When it does not matter

Kinds of text, which are compared as they are:

```sql silent case=text
create table users (id varchar(36) primary key);
create table posts (id text primary key, user_id text references users (id));
```

```sql fault case=wider object=public.posts.user_id severity=low says=converts&one&of&them
create table users (id integer primary key);
create table posts (id bigint primary key, user_id bigint references users (id));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema.ids_run_out import MOST

TEXT = frozenset({"text", "character varying", "character"})


@rule("NDB744", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find foreign keys whose columns differ in type from the key's."""
    for key in database.foreign_keys:
        for column, own, other in zip(key.columns, key.types, key.target_types, strict=True):
            if own == other or {own, other} <= TEXT:
                continue
            narrow = MOST.get(own, 1 << 63) < MOST.get(other, 0)
            lost = "every join and check converts one of them"
            if narrow:
                lost = f"rows of `{plain(key.parent)}` beyond {MOST[own]:,} cannot be pointed at"
            yield shown(
                places.foreign_key(key.relation, key.columns, key.name),
                f"`{plain(key.relation)}.{column}` is {own} and points at {other}: {lost}.",
                (f"Make it {other}; rehearse it on a branch, for it rewrites the table.",),
                f"alter table {key.relation} alter column {column} type {other};",
                seen=f"constraint {key.name}: {own} references {other}",
                database=database,
                severity=None if narrow else Severity.LOW,
            )
