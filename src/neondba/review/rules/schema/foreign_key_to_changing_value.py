"""A foreign key points at a value that changes, not at the key.

An e-mail address or a user name is unique today and is changed tomorrow. The change then fails, or must
rewrite every row that points at it; and where another program keeps that table, it may drop the constraint.

## Instead

```sql fault object=public.posts.author
create table users (id bigint primary key, name text not null unique);
create table posts (id bigint primary key, author text not null references users (name));
create index posts_author on posts (author);
```

```sql repair
alter table posts drop constraint posts_author_fkey;
alter table posts add column user_id bigint references users (id);
create index posts_user on posts (user_id);
```

## When it does not matter

With ON UPDATE CASCADE, for codes that nobody changes, and for keys of several columns, which keep tenants
apart:

```sql silent case=others
create table users (id bigint primary key, name text not null unique, team_id bigint, unique (team_id, id));
create table posts (id bigint primary key, author text references users (name) on update cascade);
create table places (id bigint primary key, country_code text unique);
create table towns (id bigint primary key, country text references places (country_code));
create table notes (id bigint primary key, team_id bigint, user_id bigint,
  foreign key (team_id, user_id) references users (team_id, id));
```

A table of a platform may change under you, whatever the value is:

```sql fault case=platform object=public.cards.code severity=medium
create schema auth;
create table auth.users (id uuid primary key, code text unique);
create table cards (id bigint primary key, code text references auth.users (code) on update cascade);
```

```sql silent case=several
create table users (id bigint primary key, name text, team_id bigint, unique (name, team_id));
create table posts (id bigint primary key, name text, team_id bigint,
  foreign key (name, team_id) references users (name, team_id));
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.database import PLATFORM, Database
from neondba.project.database_places import Places, name_of
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

CHANGES = re.compile(r"(^|_)(e?mail|user_?name|name|login|phone|handle|nick|title)($|_)", re.IGNORECASE)


@rule("NDB745", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find foreign keys to names and addresses instead of primary keys."""
    for key in database.foreign_keys:
        theirs = name_of(key.parent).schema in PLATFORM
        if key.targets_key or len(key.columns) > 1 or (key.follows_updates and not theirs):
            continue
        column = key.target_columns[0]
        if theirs or CHANGES.search(column):
            yield shown(
                places.foreign_key(key.relation, key.columns, key.name),
                f"`{plain(key.relation)}.{key.columns[0]}` points at `{plain(key.parent)}.{column}`: "
                "whoever changes that value is refused while rows point at it.",
                (f"Point at the primary key of {plain(key.parent)}.",),
                seen=f"constraint {key.name}: {key.definition}",
                database=database,
                severity=Severity.MEDIUM if theirs else None,
            )
