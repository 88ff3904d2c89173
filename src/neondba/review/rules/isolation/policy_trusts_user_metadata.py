"""A policy believes what users may write about themselves.

The metadata of a user in a token is for the user to edit. Whoever writes the right value there passes the
policy.

## Instead

```sql fault object=public.reports.staff
create table reports (id bigint primary key, body text);
alter table reports enable row level security;
create policy staff on reports for select
  using ((select current_setting('request.jwt.claims', true)::json -> 'user_metadata' ->> 'role') = 'staff');
```

```sql repair
alter policy staff on reports
  using ((select current_setting('request.jwt.claims', true)::json -> 'app_metadata' ->> 'role') = 'staff');
```

## When it does not matter

Where the metadata is copied from a table of the program on every sign-in, and no user may change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

EDITABLE = re.compile(r"'(user_metadata|raw_user_meta_data|unsafe_metadata)'|\braw_user_meta_data\b")


@rule("NDB445", Category.ISOLATION, Severity.HIGH)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find policies that look into metadata which users edit."""
    for policies in database.policies.values():
        for policy in policies:
            if match := EDITABLE.search(policy.text):
                claim = match[0].strip("'")
                yield shown(
                    places.policy(policy.relation, policy.name),
                    f'Any user can pass policy "{policy.name}" of `{plain(policy.relation)}`: it asks '
                    f"`{claim}`, which users write themselves.",
                    ("Ask a claim that only the program sets, or a table of the program.",),
                    seen=policy.text.strip(),
                    database=database,
                )
