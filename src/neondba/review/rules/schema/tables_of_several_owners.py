"""A table belongs to another role than the rest.

Only its owner may alter it, so the next migration fails there; and its owner passes by its policies, unlike
those of the other tables.

## Instead

```sql fault superuser object=public.orders
create role intern;
create table users (id bigint primary key);
create table items (id bigint primary key);
create table orders (id bigint primary key);
alter table users owner to shop_owner;
alter table items owner to shop_owner;
alter table orders owner to intern;
```

```sql repair superuser
alter table orders owner to shop_owner;
```

## When it does not matter

A schema of its own for each owner; and owners of about as many tables as the other:

```sql silent case=schemas superuser
create role partner;
create schema partner_data authorization partner;
create table users (id bigint primary key);
create table partner_data.orders (id bigint primary key);
alter table partner_data.orders owner to partner;
```

```sql silent case=equal superuser
create role partner;
create table users (id bigint primary key);
create table orders (id bigint primary key);
alter table orders owner to partner;
```
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from neondba.project.catalog_objects import Relation
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB750", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find schemas where a few tables belong to another role; one finding for each such role."""
    schemas: dict[str, list[Relation]] = defaultdict(list)
    for table in database.tables:
        schemas[table.schema].append(table)
    for tables in schemas.values():
        owners = Counter(table.owner for table in tables)
        usual, most = owners.most_common(1)[0]
        for owner, number in owners.items():
            if number * 2 <= most:
                theirs = [t.name for t in tables if t.owner == owner]
                yield shown(
                    places.table(theirs[0]),
                    f"Migrations by `{usual}` cannot alter {listed(map(plain, theirs))}: `{owner}` owns "
                    f"it, and `{usual}` the other {most} tables of the schema.",
                    (f"Give it to {usual}, and let one role run all migrations.",),
                    "\n".join(f"alter table {name} owner to {quoted(usual)};" for name in theirs),
                    seen=f"{owner} owns {number}, {usual} owns {most} tables of schema {tables[0].schema}",
                    database=database,
                )
