"""Users may read a foreign table.

Row-level security does not exist for foreign tables, and the other server sees one user for all: whoever may
read the table here reads all of it there.

## Instead

```sql fault superuser object=public.ledger
create role authenticated;
create extension postgres_fdw;
create server books foreign data wrapper postgres_fdw options (host 'books.example.org', dbname 'books');
create foreign table ledger (id bigint, amount numeric) server books;
grant select on ledger to authenticated;
```

```sql repair superuser
revoke select on ledger from authenticated, public;
```

## When it does not matter

Where only the program reads it.

```sql silent case=table
create role authenticated;
create table ledger (id bigint primary key);
grant select on ledger to authenticated;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB452", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find foreign tables that roles of users may reach."""
    for relation in database.relations.values():
        roles = sorted({a.role for a in database.access.get(relation.name, ())} & database.users)
        if relation.kind == "foreign table" and roles:
            yield shown(
                places.other(relation.name),
                f"{listed(roles)} may reach all rows of `{plain(relation.name)}` on the other server: "
                "foreign tables have no row-level security.",
                ("Take the privileges back, and let the program read it.",),
                f"revoke all on {relation.name} from public, {', '.join(roles)};",
                seen=f"{', '.join(roles)} have privileges on foreign table {relation.name}",
                database=database,
            )
