"""A view shows rows that the policies of its tables would hide.

A view reads its tables with the rights of its owner. Policies are not asked for an owner, so whoever may read
the view reads every row.

## Instead

```sql fault object=public.note_titles
create role authenticated;
create table notes (id bigint primary key, user_id text not null, title text);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user')));
create view note_titles as select id, title from notes;
grant select on notes, note_titles to authenticated;
```

```sql repair
alter view note_titles set (security_invoker = on);
```

## When it does not matter

Views that are meant to show everybody a part of the rows, if you say so; and views that no role of users may
read:

```sql silent case=closed
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create view report as select count(*) from notes;
grant select on notes to authenticated;
```

```sql silent case=others
create role authenticated;
create table notes (id bigint primary key, title text);
create materialized view titles as select title from notes;
create view writing as select title from notes;
grant select on titles to authenticated;
grant insert on writing to authenticated;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB448", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find views without security_invoker that roles of users may read."""
    for view in database.views:
        if view.materialized or view.invoker:
            continue
        readers = {a.role for a in database.access.get(view.name, ()) if a.can_select}
        readers &= database.bound if view.secured else database.users
        if readers:
            hidden = [plain(name) for name in view.secured]
            lost = (
                f"the policies of {listed(hidden)} are not asked"
                if hidden
                else "its tables have no policies yet"
            )
            yield shown(
                places.other(view.name),
                f"{listed(sorted(readers))} may read `{plain(view.name)}`, which reads with the rights of "
                f"`{view.owner}`: {lost}.",
                ("Let the view read with the rights of whoever asks.",),
                f"alter view {view.name} set (security_invoker = on);",
                seen=f"{view.name} has no security_invoker; it reads {len(view.tables)} tables",
                database=database,
                severity=None if hidden else Severity.LOW,
            )
