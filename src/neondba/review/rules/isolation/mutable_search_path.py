"""A function finds its tables by the caller's search path.

With the owner's rights that is a hole: the caller puts a table or function of the same name in front, and it
runs with the owner's rights. With the caller's own rights it is a trap: the function breaks, or takes another
table, wherever the path is set otherwise.

## Instead

```sql fault object=public.add_profile()
create table profiles (user_id text);
create function add_profile() returns trigger language plpgsql security definer
  as $$ begin insert into profiles values ('x'); return new; end $$;
```

```sql repair
alter function add_profile() set search_path = '';
```

```sql fault case=caller object=public.grand_total() severity=low says=and&1&other&function&find&their
create function total() returns bigint language sql as $$ select 1::bigint $$;
create function grand_total() returns bigint language sql as $$ select 2::bigint $$;
```

```sql repair case=caller
alter function total() set search_path = '';
alter function grand_total() set search_path = 'public';
```

## When it does not matter

Functions with the caller's rights are said once for a database; one with a body in standard SQL has its names
settled when it is made.

```sql silent case=settled
create function two() returns int language sql begin atomic select 2; end;
```

```sql fault case=both object=public.a(),public.b() severity=any
create function a() returns int language sql security definer as $$ select 1 $$;
create function b() returns int language sql as $$ select 1 $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Function
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import counted, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB450", Category.ISOLATION, Severity.MEDIUM, shows="NDB411")
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find functions without a search path of their own."""
    loose = [f for f in database.functions if not f.has_path and f.body]
    for function in loose:
        if function.definer:
            yield _finding(
                database,
                places,
                function,
                f"`{plain(function.name)}` runs with the rights of `{function.owner}` and finds its names "
                "by the caller's search path: a caller who may create a table or function decides what "
                "they mean.",
                None,
            )
    own = [f for f in loose if not f.definer]
    if own:
        others = f" and {counted(len(own) - 1, 'other function')}" if len(own) > 1 else ""
        verb = "find their" if others else "finds its"
        yield _finding(
            database,
            places,
            own[0],
            f"`{plain(own[0].name)}`{others} {verb} tables by the search path of whoever calls: under "
            "another path they fail or take another table.",
            Severity.LOW,
        )


def _finding(
    database: Database, places: Places, function: Function, message: str, severity: Severity | None
) -> Finding:
    return shown(
        places.function(function.name, function.signature),
        message,
        ("Give the function an empty search path and write the schema before every name.",),
        f"alter function {function.signature} set search_path = '';",
        seen=f"proconfig of {function.signature} sets no search_path",
        database=database,
        severity=severity,
    )
