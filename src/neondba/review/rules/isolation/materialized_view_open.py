"""Users may read a materialized view.

Row-level security does not exist for materialized views: whoever may read one reads every row in it, of
whomever.

## Instead

```sql fault object=public.spending
create role authenticated;
create table orders (id bigint primary key, user_id text not null, total numeric not null);
alter table orders enable row level security;
create policy own on orders using (user_id = (select current_setting('app.user')));
create materialized view spending as select user_id, sum(total) as total from orders group by 1;
grant select on spending to authenticated;
```

```sql repair
revoke select on spending from authenticated, public;
```

## When it does not matter

Where only the program reads it, and shows each user their own part.

```sql silent case=view
create role authenticated;
create view numbers as select 1 as one;
grant select on numbers to authenticated;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB451", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find materialized views that roles of users may read."""
    for view in database.views:
        readers = {access.role for access in database.access.get(view.name, ())}
        readers &= database.bound if view.secured else database.users
        if view.materialized and readers:
            hidden = f", the policies of {listed(map(plain, view.secured))} aside" if view.secured else ""
            yield shown(
                places.other(view.name),
                f"{listed(sorted(readers))} may read every row of the materialized view `{plain(view.name)}`"
                f"{hidden}.",
                ("Take SELECT back, and let the program or a filtering function read it.",),
                f"revoke select on {view.name} from public, {', '.join(sorted(readers))};",
                seen=f"{', '.join(sorted(readers))} have SELECT on {view.name}; it reads "
                f"{len(view.tables)} tables",
                database=database,
                severity=None if view.secured else Severity.LOW,
            )
