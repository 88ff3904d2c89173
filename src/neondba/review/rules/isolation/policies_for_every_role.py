"""Policies name no role, so they are worked out for strangers too.

Without TO a policy is for every role. The role of visitors who have not signed in then gets as far as the
comparison, and what it may see hangs on how that treats a missing user.

## Instead

```sql fault object=public.notes.own
create role anon;
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user', true)));
grant select on notes to anon, authenticated;
```

```sql repair
alter policy own on notes to authenticated;
```

## When it does not matter

Where no role of visitors may touch the table, and rows that are meant for everybody. Said once for a
database.

```sql silent case=closed
create role anon;
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user', true)));
grant select on notes to authenticated;
create table news (id bigint primary key);
alter table news enable row level security;
create policy everyone on news for select using (true);
grant select on news to anon;
```

```sql fault case=two object=public.notes.own says=and&1&other&like&it
create role anon;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy own on notes using (user_id = (select current_setting('app.user', true)));
create policy add on notes for insert with check (user_id = (select current_setting('app.user', true)));
grant select on notes to anon;
```

```sql silent case=off
create role anon;
create table notes (id bigint primary key, user_id text not null);
create policy own on notes using (user_id = (select current_setting('app.user', true)));
grant select on notes to anon;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Policy
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import counted, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules._policies import asks_for_user
from neondba.review.rules.migrations._shared import quoted

VISITORS = frozenset({"anon", "anonymous", "web_anon"})


@rule("NDB446", Category.ISOLATION, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find policies about users that are for visitors as well; the first stands for all."""
    found = [p for policies in database.policies.values() for p in policies if _meets_visitors(database, p)]
    if found:
        first = found[0]
        others = f" and {counted(len(found) - 1, 'other')} like it" if len(found) > 1 else ""
        yield shown(
            places.policy(first.relation, first.name),
            f'Policy "{first.name}" of `{plain(first.relation)}`{others} names no role: visitors who have '
            "not signed in are compared with rows too, and with a missing user.",
            ("Name the role of signed-in users after TO.",),
            f"alter policy {quoted(first.name)} on {first.relation} to authenticated;",
            seen="; ".join(f"{p.relation}: {p.name}" for p in found),
            database=database,
        )


def _meets_visitors(database: Database, policy: Policy) -> bool:
    if not policy.applies or "public" not in policy.roles or not asks_for_user(policy):
        return False
    return any(a.role in database.users & VISITORS for a in database.access.get(policy.relation, ()))
