"""Row-level security is on, and no policy lets anybody in.

Only the table's owner, and roles with BYPASSRLS, see any row. That is right for tables of the program
alone; where users were meant to see theirs, they see none and no error tells why.

## Instead

```sql fault object=public.notes
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
grant select on notes to authenticated;
```

```sql repair
create policy own on notes using (user_id = (select current_setting('app.user')));
```

## When it does not matter

No role but the owner may touch the table anyway:

```sql silent case=closed
create table audit (id bigint primary key, what text);
alter table audit enable row level security;
```

```sql silent case=off
create role authenticated;
create table plain (id bigint primary key);
grant select on plain to authenticated;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB441", Category.ISOLATION, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find protected tables without a policy on which roles were given privileges."""
    for table in database.tables:
        granted = {access.role for access in database.access.get(table.name, ())} & database.bound
        if table.secured and table.name not in database.policies and granted:
            yield shown(
                places.table(table.name),
                f"{listed(sorted(granted))} may use `{plain(table.name)}` and will find it empty: row-level "
                "security is on and no policy lets a row through.",
                (
                    "Add a policy for those who should see rows.",
                    "If nobody should, take the privileges back: that says so.",
                ),
                seen=f"relrowsecurity is true and pg_policy has no row for {table.name}",
                database=database,
            )
