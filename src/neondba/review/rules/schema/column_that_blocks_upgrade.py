"""A column stores object ids of the server, which stop an upgrade.

The types `regproc`, `regprocedure`, `regoper`, `regoperator`, `regconfig`, `regdictionary`, `regnamespace`
and `regcollation` hold numbers that differ in every server. pg_upgrade refuses a database with such a column.

## Instead

```sql fault object=public.jobs.worker
create table jobs (id bigint primary key, worker regprocedure not null);
```

```sql repair
alter table jobs alter column worker type text;
```

## When it does not matter

`regclass`, `regrole` and `regtype` are carried over.

```sql silent case=carried
create table jobs (id bigint primary key, kind regtype, relation regclass, role regrole);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted

BLOCKING = frozenset(
    {"regproc", "regprocedure", "regoper", "regoperator", "regconfig", "regdictionary", "regnamespace",
     "regcollation"}
)  # fmt: skip


@rule("NDB746", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find columns of types that pg_upgrade refuses."""
    for column in database.columns:
        if column.type.removesuffix("[]").removeprefix("pg_catalog.") in BLOCKING:
            yield shown(
                places.column(column.relation, column.name),
                f"`{plain(column.relation)}.{column.name}` is {column.type}: the next upgrade of "
                "PostgreSQL stops at it.",
                ("Store the name as text, and cast it where it is used.",),
                f"alter table {column.relation} alter column {quoted(column.name)} type text;",
                seen=f"{column.name} has type {column.type}",
                database=database,
            )
