"""Old transaction ids of a table are not being frozen.

PostgreSQL must freeze old rows before two thousand million transactions have passed. It begins by itself at
a set age; a table far beyond it is one that vacuum cannot finish, and near the end all writes stop.

## Instead

```sql fault object=public.ledger
create table ledger (id bigint primary key) with (autovacuum_freeze_max_age = 100000);
insert into ledger values (1);
create table other (id int);
do $$ begin
  for i in 1..160000 loop
    begin
      insert into other values (1);
    exception when others then null;
    end;
  end loop;
end $$;
```

```sql repair
vacuum freeze ledger;
```

## When it does not matter

An age below the limit and half of it again: vacuum has only just begun.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Activity
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

MARGIN = 1.5


@rule("NDB814", Category.PRODUCTION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables whose age is far beyond the age at which freezing begins."""
    failsafe = database.in_use().server.failsafe_age
    for table in database.activity.values():
        if table.transaction_age > MARGIN * table.freeze_age:
            yield _finding(database, places, table, failsafe)


def _finding(database: Database, places: Places, table: Activity, failsafe: int) -> Finding:
    return shown(
        places.table(table.relation),
        f"`{plain(table.relation)}` should have been frozen at an age of {table.freeze_age:,} transactions "
        f"and has {table.transaction_age:,}: vacuum does not finish there. At 2,000 million all writes stop.",
        (
            "See what holds vacuum back: a transaction open for long, a replication slot, a prepared "
            "transaction.",
            "Then freeze the table in a quiet hour.",
        ),
        f"vacuum (freeze, verbose) {table.relation};",
        seen=f"age(relfrozenxid) = {table.transaction_age:,}, autovacuum_freeze_max_age = "
        f"{table.freeze_age:,}",
        database=database,
        severity=Severity.CRITICAL if table.transaction_age >= failsafe else None,
    )
