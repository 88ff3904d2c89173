"""A trigger is switched off.

A load that was to be fast, or a restore that went wrong, left it so. What it kept right goes wrong from then
on; where it is a foreign key's own trigger, rows without a parent are let in.

## Instead

```sql fault superuser object=public.items severity=high says=foreign&key&`items_owner_id_fkey`
create table users (id bigint primary key);
create table items (id bigint primary key, owner_id bigint references users (id));
alter table items disable trigger all;
```

```sql repair superuser
alter table items enable trigger all;
```

```sql fault case=own object=public.notes says=Trigger&`touch`
create table notes (id bigint primary key, at timestamptz);
create function touch() returns trigger language plpgsql as $$ begin new.at = now(); return new; end $$;
create trigger touch before update on notes for each row execute function touch();
alter table notes disable trigger touch;
```

```sql repair case=own
drop trigger touch on notes;
```

## When it does not matter

While the load runs.

```sql fault case=constraint object=public.notes says=Trigger&`look`
create table notes (id bigint primary key);
create function look() returns trigger language plpgsql as $$ begin return null; end $$;
create constraint trigger look after insert on notes for each row execute function look();
alter table notes disable trigger look;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neondba.project.catalog_objects import Trigger
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB752", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables with disabled triggers; those of foreign keys weigh more."""
    tables: dict[str, list[Trigger]] = defaultdict(list)
    for trigger in database.disabled_triggers:
        tables[trigger.relation].append(trigger)
    for relation, triggers in tables.items():
        keys = sorted({t.constraint for t in triggers if t.constraint and t.constraint_type == "f"})
        names = keys or [t.name for t in triggers]
        lost = "rows without a parent are let in" if keys else "what it does is not done"
        what = "The checks of foreign key" if keys else "Trigger"
        yield shown(
            places.table(relation),
            f"{what} {listed(names)} of `{plain(relation)}` {'are' if keys else 'is'} switched off: {lost}.",
            ("See what has gone wrong meanwhile.", "Switch it on again, or drop it."),
            f"alter table {relation} enable trigger all;",
            seen=f"tgenabled is D for {', '.join(t.name for t in triggers)}",
            database=database,
            severity=Severity.HIGH if keys else None,
        )
