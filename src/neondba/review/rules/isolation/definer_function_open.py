"""Users may call a function that runs with its owner's rights.

`SECURITY DEFINER` lends the owner's rights, for whom policies are not asked; and PostgreSQL lets every role
execute a new function unless that is taken back.

## Instead

```sql fault object=public.close_account(target&bigint)
create role anon;
create function close_account(target bigint) returns bigint language sql security definer
  set search_path = '' as $$ select target $$;
```

```sql repair
revoke execute on function close_account(bigint) from public, anon;
```

## When it does not matter

Functions that run with the caller's rights, triggers, which nobody calls, and databases that no user reaches
with a role of their own:

```sql silent case=others
create role anon;
create function add(a bigint, b bigint) returns bigint language sql as $$ select a + b $$;
create function touch() returns trigger language plpgsql security definer set search_path = ''
  as $$ begin return new; end $$;
```

```sql silent case=alone
create function close_account(target bigint) returns bigint language sql security definer
  set search_path = '' as $$ select target $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import listed, plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB449", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find SECURITY DEFINER functions that roles of users may execute."""
    for function in database.functions:
        callers = sorted(set(function.executable_by) & database.users)
        if function.definer and not function.for_trigger and callers:
            yield shown(
                places.function(function.name, function.signature),
                f"{listed(callers)} may call `{plain(function.name)}`, and it then does what its owner "
                f"`{function.owner}` may do: policies are not asked.",
                (
                    "Take EXECUTE back from PUBLIC, and grant it to those who need it.",
                    "Or run it with the rights of the caller: SECURITY INVOKER.",
                ),
                f"revoke execute on function {function.signature} from public, {', '.join(callers)};",
                seen=f"prosecdef is true; {', '.join(callers)} have EXECUTE on {function.signature}",
                database=database,
                severity=None if function.volatile else Severity.LOW,
            )
