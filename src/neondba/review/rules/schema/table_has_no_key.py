"""A table in the database has no primary key.

Its rows cannot be told apart: duplicates cannot be removed one by one, and logical replication refuses
updates and deletes.

## Instead

```sql fault object=public.readings
create table readings (sensor bigint not null, value numeric not null);
```

```sql repair
alter table readings add column id bigint generated always as identity primary key;
```

A unique index on columns that are never null tells rows apart too, and weighs less:

```sql fault case=unique object=public.tokens severity=low
create table tokens (token text not null unique, email text);
```

```sql repair case=unique
alter table tokens add primary key (token);
```

## When it does not matter

The history of a migration tool, and a table whose unique index replication has been told to use:

```sql silent case=identity
create table schema_version (version text);
create table prices (sku text not null, amount numeric);
create unique index prices_sku on prices (sku);
alter table prices replica identity using index prices_sku;
create table log (at date not null, what text) partition by range (at);
create table log_old partition of log for values from ('2020-01-01') to ('2021-01-01');
alter table log add primary key (at);
```

No index that leaves rows out, lets nulls in or was never finished tells all rows apart:

```sql fault case=not-unique object=public.a,public.b,public.c,public.d
create table other (token text primary key);
create table a (token text unique);
create table b (token text not null);
create index on b (token);
create table c (token text not null, used boolean);
create unique index on c (token) where used;
create table d (token text not null);
insert into d values ('x'), ('x');
create unique index concurrently d_token  -- refused
  on d (token);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Relation
from neondba.project.database import Database
from neondba.project.database_places import Places, bare, name_of
from neondba.project.version_tables import VERSION_TABLES
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB740", Category.SCHEMA, Severity.MEDIUM, shows="NDB705")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables without a primary key or an index that replication uses instead."""
    for table in database.tables:
        if table.has_key or name_of(table.name).name in VERSION_TABLES or _is_identified(database, table):
            continue
        unique = _unique(database, table)
        cost = "duplicates cannot be removed one by one, and logical replication refuses to update or delete"
        column = "add column id bigint generated always as identity primary key"
        yield shown(
            places.table(table.name),
            f"Logical replication refuses to update or delete rows of `{plain(table.name)}`: no primary key."
            if unique
            else f"Rows of `{plain(table.name)}` cannot be told apart: {cost}.",
            ("Add a primary key.",),
            f"alter table {table.name} "
            f"{'add primary key (' + ', '.join(unique) + ')' if unique else column};",
            seen=f"pg_index has no primary key for {table.name}",
            database=database,
            severity=Severity.LOW if unique else None,
        )


def _unique(database: Database, table: Relation) -> list[str]:
    """Give the columns of an index that tells the rows apart all the same."""
    filled = {c.name for c in database.columns if c.relation == table.name and c.not_null}
    for index in database.indexes.get(table.name, ()):
        if index.is_unique and index.valid and not index.condition and {*map(bare, index.keys)} <= filled:
            return index.keys
    return []


def _is_identified(database: Database, table: Relation) -> bool:
    return any(index.identifies for index in database.indexes.get(table.name, ()))
