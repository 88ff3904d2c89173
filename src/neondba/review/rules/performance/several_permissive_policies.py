"""Several permissive policies decide about one action of one role.

Postgres joins them with OR and works each of them out for every row. What a role may do is then spread over
several places, and the widest of them wins.

## Instead

```sql fault object=public.posts.everyone
create table posts (id bigint primary key, author text not null, draft boolean not null);
alter table posts enable row level security;
create policy everyone on posts for select using (not draft);
create policy own on posts using (author = (select current_setting('app.user')));
```

```sql repair
drop policy everyone on posts;
drop policy own on posts;
create policy reading on posts for select
  using (not draft or author = (select current_setting('app.user')));
create policy adding on posts for insert with check (author = (select current_setting('app.user')));
create policy changing on posts for update using (author = (select current_setting('app.user')));
```

## When it does not matter

Restrictive policies are joined with AND, and other roles and other actions are other questions:

```sql silent case=apart
create role editor;
create role reader;
create table posts (id bigint primary key, author text not null);
alter table posts enable row level security;
create policy readers on posts for select to reader using (true);
create policy editors on posts to editor using (author = (select current_setting('app.user')));
create policy hours on posts as restrictive for select using (extract(hour from now()) > 6);
```

```sql silent case=off
create table posts (id bigint primary key);
create policy a on posts using (id > 1);
create policy b on posts using (id > 2);
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neondba.project.catalog_objects import Policy
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB807", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find tables where one role's action is decided by several permissive policies."""
    for relation, policies in database.policies.items():
        crowded = _crowded([p for p in policies if p.permissive and p.applies])
        if not crowded:
            continue
        names = list(dict.fromkeys(name for same in crowded.values() for name in same))
        actions = sorted({command for command, _ in crowded})
        yield shown(
            places.policies(relation, names),
            f"Policies {listed(names)} of `{plain(relation)}` all decide about "
            f"{', '.join(a.upper() for a in actions)}: each is worked out for every row, and a row passes by "
            "the widest.",
            ("Write one policy for each action, with OR in it.",),
            seen="; ".join(f"{who} {what}: {len(n)} policies" for (what, who), n in sorted(crowded.items())),
            database=database,
        )


def _crowded(policies: list[Policy]) -> dict[tuple[str, str], list[str]]:
    """Give the actions and roles with more than one policy; those for everybody count for each role."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    roles = {role for p in policies for role in p.roles}
    for policy in policies:
        for command in policy.commands:
            for role in roles if "public" in policy.roles else policy.roles:
                found[command, role].append(policy.name)
    return {key: names for key, names in sorted(found.items()) if len(names) > 1}
