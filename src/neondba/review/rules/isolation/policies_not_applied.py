"""Policies stand in the database and are not applied.

Row-level security is off for their table, so PostgreSQL asks none of them: every role with a privilege on
the table reaches all rows.

## Instead

```sql fault object=public.notes
create table notes (id bigint primary key, user_id text not null);
create policy own on notes using (user_id = (select current_setting('app.user')));
create policy add on notes for insert with check (user_id = (select current_setting('app.user')));
```

```sql repair
alter table notes enable row level security;
```

## When it does not matter

Nowhere: where the policies are not wanted, they mislead whoever reads them.

```sql silent case=platform
create schema storage;
create table storage.objects (id bigint primary key);
create policy own on storage.objects using (true);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB440", Category.ISOLATION, Severity.HIGH, shows="NDB414")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables with policies and without row-level security."""
    for relation, policies in database.policies.items():
        if relation in database.relations and not policies[0].applies:
            names = [policy.name for policy in policies]
            spot = places.policies(relation, names)
            yield shown(
                spot if not spot.path.startswith("database:") else places.table(relation),
                f"Policies {listed(names)} do nothing: row-level security of `{plain(relation)}` is off, "
                "so every role with a privilege on it reaches all rows.",
                (f"Switch row-level security on for {plain(relation)}.",),
                f"alter table {relation} enable row level security;",
                seen=f"relrowsecurity is false for {relation}, which has {len(names)} policies",
                database=database,
            )
