"""Every role that can connect may change a table.

A privilege granted to PUBLIC is held by each role there is and each that will be made: the reporting role,
the one of a contractor, the one of a branch.

## Instead

```sql fault object=public.prices
create role reporting login;
create table prices (id bigint primary key, amount numeric not null);
grant select, update on prices to public;
```

```sql repair
revoke all on prices from public;
grant select on prices to reporting;
```

## When it does not matter

Reading, where everybody who can connect may see everything; and tables whose policies decide.

```sql silent case=policies
create table prices (id bigint primary key);
alter table prices enable row level security;
grant update on prices to public;
```

```sql silent case=users
create role authenticated;
create table prices (id bigint primary key);
grant update on prices to public;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Relation
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB456", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find unprotected tables that PUBLIC may write."""
    for table in database.tables:
        words = _public(table)
        if words and not table.secured and not database.users:
            verbs = ", ".join(word.upper() for word in words)
            yield shown(
                places.table(table.name),
                f"Every role that can connect may {verbs} rows of `{plain(table.name)}`, those made later "
                "included.",
                ("Take the privileges back from PUBLIC, and grant them to the roles that need them.",),
                f"revoke all on {table.name} from public;",
                seen=f"relacl of {table.name} grants {verbs} to PUBLIC",
                database=database,
            )


def _public(table: Relation) -> list[str]:
    """Give the ways in which every role may write a table."""
    return [word for word in ("insert", "update", "delete", "truncate") if word in table.public_may]
