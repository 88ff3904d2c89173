"""The column that a policy compares with the user has no index.

The policy is part of every query of a user. Without an index on the column, each of them reads everybody's
rows to find a few.

## Instead

```sql fault object=public.notes.user_id
create table notes (id bigint primary key, user_id text not null, body text);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
```

```sql repair
create index notes_user on notes (user_id);
```

## When it does not matter

Policies for INSERT look at one row, a foreign key without an index is reported as that, and a table that is
known to be small is read as fast without:

```sql silent case=insert
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy add on notes for insert with check (user_id = (select current_setting('app.user')));
create policy everyone on notes for select using (true);
```

```sql silent case=small
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
insert into notes values (1, 'a');
analyze notes;
create table off (id bigint primary key, user_id text not null);
create policy own on off using (user_id = (select current_setting('app.user')));
create schema storage;
create table storage.objects (id bigint primary key, owner text);
alter table storage.objects enable row level security;
create policy own on storage.objects using (owner = (select current_setting('app.user')));
```

```sql fault case=large object=public.notes.user_id severity=medium
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
insert into notes select g, 'u' from generate_series(1, 100000) g;
create unique index concurrently notes_user  -- refused
  on notes (user_id);
analyze notes;
```

```sql fault case=parts object=public.parted.user_id
create table parted (id bigint, user_id text not null) partition by range (id);
alter table parted enable row level security;
create policy own on parted using (user_id = (select current_setting('app.user')));
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.catalog_objects import Policy
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

COMPARED = re.compile(
    r'\((?P<column>\w+|"[^"]+")(?:\)?::[\w ]+)? = (?=[^=]{0,60}?\b(?:auth\.\w+|current_setting)\()'
)
"""A column of the policy's own table beside what says who the user is, as Postgres writes it."""
SMALL = 1000
LARGE = 100_000


@rule("NDB808", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find columns that policies look rows up by and no index leads with."""
    served = {(i.relation, i.keys[0]) for every in database.indexes.values() for i in every if i.valid}
    served |= {(key.relation, key.columns[0]) for key in database.foreign_keys}
    for relation, policies in database.policies.items():
        if relation not in database.relations or _rows(database, relation) in range(1, SMALL):
            continue
        columns = {column for p in policies for column in _compared(p)}
        for column in sorted(c for c in columns if (relation, c) not in served):
            yield shown(
                places.column(relation, column),
                f"Every query of a user reads all rows of `{plain(relation)}`: its policies compare "
                f"`{column}` with the user, and no index leads with that column.",
                (f"Add an index on {column}.",),
                f"create index concurrently on {relation} ({column});",
                seen=f"policies of {relation} compare {column}; no index leads with it",
                database=database,
                severity=Severity.MEDIUM if _rows(database, relation) >= LARGE else None,
            )


def _rows(database: Database, relation: str) -> int:
    activity = database.activity.get(relation)
    return activity.rows if activity and database.used else 0


def _compared(policy: Policy) -> set[str]:
    if not policy.applies or policy.condition is None:
        return set()
    return {match["column"] for match in COMPARED.finditer(policy.condition)}
