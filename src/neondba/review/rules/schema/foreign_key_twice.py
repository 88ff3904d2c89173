"""Two foreign keys of a table say the same.

Each insert and each delete of a parent is checked twice. Where their ON DELETE differs, nobody can tell
which one works.

## Instead

```sql fault object=public.items.owner_again
create table users (id bigint primary key);
create table items (id bigint primary key, owner_id bigint references users (id));
create index items_owner on items (owner_id);
alter table items add constraint owner_again foreign key (owner_id) references users (id) on delete cascade;
```

```sql repair
alter table items drop constraint owner_again;
```

## When it does not matter

Nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB751", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find foreign keys over the same columns to the same table."""
    first: dict[tuple[object, ...], str] = {}
    for key in database.foreign_keys:
        same = (key.relation, key.target, *zip(key.columns, key.target_columns, strict=True))
        if same in first:
            yield shown(
                places.constraint(key.relation, key.name, ()),
                f"Every write to `{plain(key.relation)}` is checked twice: `{key.name}` says what "
                f"`{first[same]}` says.",
                ("Keep the one with the ON DELETE that you want, and drop the other.",),
                f"alter table {key.relation} drop constraint {quoted(key.name)};",
                seen=f"{key.name} and {first[same]}: {key.definition}",
                database=database,
            )
        first.setdefault(same, key.name)
