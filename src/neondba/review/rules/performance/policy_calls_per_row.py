"""A policy in the database asks who the user is for every row.

`auth.uid()` and `current_setting()` answer the same for a whole query. Written bare they run for each row
that the policy looks at; in a sub-select they run once.

## Instead

```sql fault object=public.notes.own
create schema auth;
create function auth.uid() returns text language sql stable as $$ select current_setting('app.user', true) $$;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = auth.uid());
create policy add on notes for insert with check (user_id = current_setting('app.user', true));
```

```sql repair
alter policy own on notes using (user_id = (select auth.uid()));
alter policy add on notes with check (user_id = (select current_setting('app.user', true)));
```

## When it does not matter

A function of the row's own columns must run for each row; and a policy that is not applied costs nothing:

```sql silent case=columns
create function is_member(team bigint) returns boolean language sql stable as $$ select team > 0 $$;
create table tasks (id bigint primary key, team_id bigint not null);
alter table tasks enable row level security;
create policy own on tasks using (is_member(team_id));
create table off (id bigint primary key, user_id text);
create policy own on off using (user_id = current_setting('app.user'));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules._policies import calls_per_row
from neondba.review.rules.migrations._shared import quoted


@rule("NDB806", Category.SCHEMA, Severity.LOW, shows="NDB713")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables whose policies call constant functions for each row."""
    for relation, policies in database.policies.items():
        slow = {p.name: calls_per_row(p) for p in policies if p.applies and calls_per_row(p)}
        if slow:
            function = next(iter(slow.values()))[0]
            yield shown(
                places.policies(relation, slow),
                f"Queries on `{plain(relation)}` call `{function}()` once for every row they look at, by "
                f"policy {listed(slow)}.",
                (f"Write (select {function}(…)) instead of {function}(…).",),
                "\n".join(f"alter policy {quoted(name)} on {relation} …;" for name in slow),
                seen=f"{len(slow)} of the policies on {relation} call it outside a sub-select",
                database=database,
            )
