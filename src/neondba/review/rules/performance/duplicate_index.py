"""Two indexes of one table are the same.

Every insert and most updates write both, both take space and memory, and no query gains from the second.

## Instead

```sql fault object=public.visits_user_id_idx1
create table visits (id bigint primary key, user_id bigint not null, at timestamptz not null);
create index on visits (user_id);
create index on visits (user_id);
```

```sql repair
drop index visits_user_id_idx1;
```

```sql fault case=constraint object=public.users_email
create table users (id bigint primary key, email text not null unique);
create unique index users_email on users (email);
```

```sql repair case=constraint
drop index users_email;
```

## When it does not matter

Other operator classes, orders, conditions, methods and included columns serve other queries:

```sql silent case=others
create table items (id bigint primary key, title text not null, team_id bigint);
create index items_title on items (title);
create index items_title_like on items (title text_pattern_ops);
create index items_title_team on items (title) where team_id > 0;
create index items_title_hash on items using hash (title);
create index items_title_with on items (title) include (team_id);
```

What a constraint or replication needs is kept, whichever is older; and what a foreign key needs too:

```sql fault case=older object=public.a_first,public.b_first
create table a (id bigint primary key, email text not null);
create unique index a_first on a (email);
alter table a add constraint a_second unique (email);
create table b (id bigint primary key, email text not null);
create unique index b_first on b (email);
create unique index b_second on b (email);
alter table b replica identity using index b_second;
```

```sql silent case=needed
create table a (id bigint primary key, email text not null);
create unique index a_first on a (email);
create table c (id bigint primary key, email text references a (email));
alter table a add constraint a_second unique (email);
create table b (id bigint primary key, email text not null unique);
create unique index b_second on b (email);
alter table b replica identity using index b_second;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from neondba.project.catalog_objects import Index
from neondba.project.database import Database
from neondba.project.database_places import Places, name_of
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB802", Category.SCHEMA, Severity.MEDIUM, shows="NDB708")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find indexes that are the same but for their name."""
    for indexes in database.indexes.values():
        twins: dict[tuple[object, ...], list[Index]] = defaultdict(list)
        for index in indexes:
            if index.valid:
                twins[_identity(index)].append(index)
        for same in twins.values():
            kept, *others = sorted(same, key=lambda index: not _is_needed(index))
            for index in others:
                if not (index.identifies or index.referenced):
                    yield _finding(database, places, index, kept)


def _identity(index: Index) -> tuple[object, ...]:
    return (index.method, *index.exact, "|", *index.included, index.condition, index.is_unique)


def _is_needed(index: Index) -> bool:
    return index.of_constraint or index.identifies


def _finding(database: Database, places: Places, index: Index, kept: Index) -> Finding:
    drop = (
        f"alter table {index.relation} drop constraint {quoted(name_of(index.name).name)};"
        if index.of_constraint
        else f"drop index concurrently {index.name};"
    )
    return shown(
        places.index(index.name, index.relation, index.keys),
        f"Every insert into `{plain(index.relation)}` writes `{plain(index.name)}` for nothing: "
        f"`{plain(kept.name)}` is the same index.",
        (f"Drop {plain(index.name)}.",),
        drop,
        seen=f"{index.name} and {kept.name}: both {index.method} ({', '.join(index.keys)})",
        database=database,
    )
