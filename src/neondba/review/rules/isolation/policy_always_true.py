"""A policy in the database lets users write every row.

Its condition is true for all rows, so row-level security protects nothing for that action, while the table
looks protected.

## Instead

```sql fault object=public.notes.edit,public.notes.whole,public.notes.add
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy edit on notes for update to authenticated using (true);
create policy whole on notes using ( TRUE );
create policy add on notes for insert to authenticated with check (true);
```

```sql repair
alter policy edit on notes using (user_id = (select current_setting('app.user')));
alter policy whole on notes using (user_id = (select current_setting('app.user')));
alter policy add on notes with check (user_id = (select current_setting('app.user')));
```

## When it does not matter

Reading, restrictive policies, roles that no user has, forms that strangers may fill in, and policies for
INSERT without a check: PostgreSQL then refuses every row.

```sql silent case=others
create role authenticated;
create role worker;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy read on notes for select using (true);
create policy hours on notes as restrictive for update using (true);
create policy job on notes for update to worker using (true);
create policy none on notes for insert to authenticated;
create table contact (id bigint primary key, message text not null);
alter table contact enable row level security;
create policy send on contact for insert to authenticated with check (true);
```

A check alone lets users give their own rows away:

```sql fault case=give object=public.notes.give severity=medium says=Whoever&has&role&`authenticated`
create role authenticated;
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy give on notes for update to authenticated
  using (user_id = (select current_setting('app.user'))) with check ((1 = 1));
```

```sql fault case=whole object=public.notes.whole says=Every&role&may&change&and&delete&every&row
create table notes (id bigint primary key, user_id text not null);
alter table notes enable row level security;
create policy whole on notes using (true);
```

```sql silent case=not-applied
create schema storage;
create table storage.objects (id bigint primary key);
alter table storage.objects enable row level security;
create policy add on storage.objects for insert with check (true);
create table notes (id bigint primary key, user_id text not null);
create policy whole on notes using (true);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Policy
from neondba.project.database import USERS, Database
from neondba.project.database_places import Places
from neondba.project.owners import OWNER
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules._policies import always
from neondba.review.rules.migrations._shared import quoted


@rule("NDB444", Category.ISOLATION, Severity.HIGH, shows="NDB413")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find permissive policies for writing that pass all rows."""
    for relation, policies in database.policies.items():
        table = database.relations.get(relation)
        owned = table is not None and any(column.lower() in OWNER for column in table.columns)
        for policy in policies:
            if policy.applies and policy.permissive and _is_for_users(policy):
                what = _open(policy, owned)
                if what:
                    yield _finding(database, places, policy, what)


def _is_for_users(policy: Policy) -> bool:
    return "public" in policy.roles or bool(USERS & set(policy.roles))


def _open(policy: Policy, owned: bool) -> str:
    """Say what everybody may do by a policy."""
    if policy.command in ("update", "delete", "all") and always(policy.condition):
        return "change and delete" if policy.command == "all" else policy.command
    if policy.command == "insert":
        return "add rows in anybody's name to" if owned and always(policy.check) else ""
    return "give rows of their own to anybody in" if always(policy.check) else ""


def _finding(database: Database, places: Places, policy: Policy, what: str) -> Finding:
    who = "Every role" if "public" in policy.roles else f"Whoever has role {listed(policy.roles)}"
    every = "" if what.endswith((" in", " to")) else " every row of"
    clause = "with check" if always(policy.check) else "using"
    return shown(
        places.policy(policy.relation, policy.name),
        f'{who} may {what}{every} `{plain(policy.relation)}`: policy "{policy.name}" is always true.',
        ("Compare the row's owner with the user of the request.",),
        f"alter policy {quoted(policy.name)} on {policy.relation} {clause} (user_id = …);",
        seen=f"{policy.command.upper()}: using {policy.condition}, with check {policy.check}",
        database=database,
        severity=Severity.MEDIUM if what.startswith("give") else None,
    )
