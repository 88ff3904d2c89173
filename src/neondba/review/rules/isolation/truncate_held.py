"""Roles that policies bind may empty a protected table.

TRUNCATE asks no policy: whoever holds the privilege removes everybody's rows at once. `GRANT ALL` gives it.

## Instead

```sql fault object=public.notes
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
grant all on notes to authenticated;
```

```sql repair
revoke truncate, references, trigger on notes from authenticated;
```

## When it does not matter

Roles of the program itself, which pass by policies anyway.

```sql silent case=off
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
grant all on notes to authenticated;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB453", Category.ISOLATION, Severity.MEDIUM, shows="NDB412")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find bound roles with TRUNCATE on protected tables; one finding for one set of roles."""
    held: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for table in database.tables:
        roles = sorted(
            {a.role for a in database.access.get(table.name, ()) if a.can_truncate} & database.bound
        )
        if table.secured and roles:
            held[tuple(roles)].append(table.name)
    for who, tables in held.items():
        spot = places.table(tables[0])
        # A GRANT in a file stands elsewhere than the table that it is about.
        spot = replace(spot, also=(*spot.also, *places.grants(tables)))
        yield shown(
            spot,
            f"{listed(who)} may TRUNCATE {listed(map(plain, tables))}: that removes every user's rows, and "
            "no policy is asked.",
            ("Revoke the privilege; users need neither REFERENCES nor TRIGGER.",),
            f"revoke truncate, references, trigger on {', '.join(tables)} "
            f"from {', '.join(map(quoted, who))};",
            seen=f"{', '.join(who)} hold TRUNCATE on {', '.join(tables)}",
            database=database,
        )
