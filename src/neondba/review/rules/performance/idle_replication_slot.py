"""A replication slot keeps the log for nobody.

PostgreSQL keeps all write-ahead log, and for a logical slot dead rows of its catalog too, until the slot's
reader has read it. A reader that is gone never does.

## Instead

```sql fault object=slot.reports superuser
select pg_create_logical_replication_slot('reports', 'pgoutput');
```

```sql repair superuser
select pg_drop_replication_slot('reports');
```

## When it does not matter

While its reader restarts.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

GB = 1024**3


@rule("NDB816", Category.PRODUCTION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find replication slots without a reader."""
    for slot in database.in_use().idle_slots:
        kept = f"{slot.kept / 1024**2:,.0f} MB of log"
        yield shown(
            places.other("slot", slot.name),
            f"Nobody reads replication slot `{slot.name}`, and the server keeps {kept} for it.",
            ("Start its subscriber again.", "Drop the slot if there will be none."),
            f"select pg_drop_replication_slot('{slot.name}');",
            seen=f"{slot.kind} slot, not active, wal_status = {slot.status}",
            database=database,
            severity=Severity.HIGH if slot.kept >= GB else None,
        )
