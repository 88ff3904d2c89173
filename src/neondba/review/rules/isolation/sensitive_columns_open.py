"""Users may read a table with passwords, keys or numbers of other people.

The table has no row-level security, and the role that users have may read these columns.

## Instead

```sql fault object=public.people
create role anon;
create table people (id bigint primary key, name text not null, password_hash text not null, ssn text);
grant select on people to anon;
```

```sql repair
revoke select on people from anon;
grant select (id, name) on people to anon;
alter table people enable row level security;
create policy everyone on people for select using (true);
```

## When it does not matter

With row-level security, where the policies decide; and where only the program's own role may read:

```sql silent case=closed
create role anon;
create table people (id bigint primary key, name text not null, password_hash text not null);
create table posts (id bigint primary key, title text not null);
grant select (id, name) on people to anon;
```

```sql silent case=program
create role anon;
create role reporting;
create table people (id bigint primary key, password_hash text not null);
grant select on people to reporting;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules._sensitive import sensitive


@rule("NDB443", Category.ISOLATION, Severity.HIGH, shows="NDB415")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find unprotected tables whose sensitive columns roles of users may read."""
    for table in database.tables:
        if table.secured:
            continue
        open_to = [a for a in database.access.get(table.name, ()) if a.role in database.users]
        columns = sensitive(table.columns, open_to)
        if columns:
            roles = sorted(a.role for a in open_to)
            yield shown(
                places.table(table.name),
                f"Whoever has role {listed(roles)} may read {listed(columns)} of everybody in "
                f"`{plain(table.name)}`: row-level security is off.",
                (
                    "Take the privilege on these columns back.",
                    f"Switch row-level security on for {plain(table.name)} and add policies.",
                ),
                f"revoke select on {table.name} from {', '.join(roles)};\n"
                f"alter table {table.name} enable row level security;",
                seen=f"{', '.join(roles)} have SELECT on {', '.join(columns)} of {table.name}",
                database=database,
            )
