"""An index was never finished.

`CREATE INDEX CONCURRENTLY` that fails leaves an invalid index behind: writes maintain it, no query uses it,
and a unique one promises nothing.

## Instead

```sql fault object=public.logins_email severity=high
create table logins (id bigint primary key, email text not null);
insert into logins values (1, 'a@example.org'), (2, 'a@example.org');
create unique index concurrently logins_email  -- refused
  on logins (email);
```

```sql repair
delete from logins where id = 2;
reindex index concurrently logins_email;
```

One that is not unique promises nothing, and only costs:

```sql fault case=plain object=public.shares_each
create table shares (id bigint primary key, parts int not null);
insert into shares values (1, 0);
create index concurrently shares_each  -- refused
  on shares ((1 / parts));
```

## When it does not matter

While another session builds the index it is invalid too, and becomes valid by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB805", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find indexes that queries may not use."""
    for indexes in database.indexes.values():
        for index in indexes:
            if index.valid:
                continue
            lost = "and values that must be unique may not be" if index.is_unique else "but no query uses it"
            yield shown(
                places.index(index.name, index.relation, index.keys),
                f"`{plain(index.name)}` is invalid: every write to `{plain(index.relation)}` keeps it "
                f"up, {lost}.",
                (
                    "Remove duplicate values first." if index.is_unique else "See that nobody builds it now.",
                    "Build it again, or drop it.",
                ),
                f"reindex index concurrently {index.name};",
                seen=f"pg_index.indisvalid is false for {index.name}",
                database=database,
                severity=Severity.HIGH if index.is_unique else None,
            )
