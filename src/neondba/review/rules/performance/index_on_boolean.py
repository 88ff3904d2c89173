"""An index holds nothing but true and false.

A condition that half of the rows fulfil is answered faster by reading the table; the index is written all
the same. Where one value is rare, an index of the rare rows alone is small and is used.

## Instead

```sql fault object=public.mails_sent
create table mails (id bigint primary key, sent boolean not null);
create index mails_sent on mails (sent);
```

```sql repair
drop index mails_sent;
create index mails_waiting on mails (id) where not sent;
```

## When it does not matter

With a condition, in a longer index, or where the index has been used:

```sql silent case=longer
create table mails (id bigint primary key, sent boolean not null, at timestamptz);
create index mails_sent_at on mails (sent, at);
create unique index mails_one on mails (sent) where sent;
```

```sql silent case=others
create table mails (id bigint primary key, sent boolean not null, n int);
create index mails_waiting on mails (sent) where not sent;
create table flags (id bigint primary key, only_one boolean);
create unique index flags_one on flags (only_one);
create table used (id bigint primary key, sent boolean not null, n int);
create index used_sent on used (sent);
set enable_seqscan = off;
set enable_bitmapscan = off;
select * from used where sent;
reset enable_seqscan;
reset enable_bitmapscan;
insert into used values (1, true, 0);
create index concurrently used_share  -- refused
  on used ((1 / n > 0));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB815", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find indexes of one boolean column that nothing has used."""
    for indexes in database.indexes.values():
        for index in indexes:
            alone = index.types == ["boolean"] and index.condition is None
            if alone and not index.is_unique and index.valid and index.scans == 0:
                yield shown(
                    places.index(index.name, index.relation, index.keys),
                    f"`{plain(index.name)}` tells only true from false; for half of "
                    f"`{plain(index.relation)}` a query reads the table instead, and every insert writes "
                    "the index.",
                    ("Index the rare rows alone, by what they are sorted or looked up by.",),
                    f"create index concurrently on {index.relation} (…) where {index.keys[0]};",
                    seen=f"{index.name} is on one boolean column; idx_scan = 0",
                    database=database,
                )
