"""Whatever is made next will be open to everybody.

Default privileges grant rights on objects that do not exist yet. A table made next year gets them, and
nothing in its migration says so.

## Instead

```sql fault object=default-privileges.shop_owner.public.tables
alter default privileges in schema public grant select, insert on tables to public;
```

```sql repair
alter default privileges in schema public revoke select, insert on tables from public;
```

## When it does not matter

Grants to one role; a table without row-level security that users then reach is reported itself:

```sql silent case=program
create role reporting;
create role authenticated;
alter default privileges in schema public grant select on tables to reporting;
alter default privileges in schema public grant select, insert on tables to authenticated;
```

```sql fault case=everywhere object=default-privileges.shop_owner.all.tables
alter default privileges grant select on tables to public;
```

```sql silent case=others
create schema extensions;
alter default privileges in schema extensions grant select on tables to public;
alter default privileges in schema public grant usage on sequences to public;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import PLATFORM, Database
from neondba.project.database_places import Places
from neondba.review.catalog import shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB454", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find default privileges on tables for PUBLIC."""
    for granted in database.default_privileges:
        if granted.grantee != "public" or granted.kind != "tables" or granted.schema in PLATFORM:
            continue
        where = f" in schema {granted.schema}" if granted.schema else ""
        privileges = ", ".join(p.upper() for p in granted.privileges)
        yield shown(
            places.other("default-privileges", granted.maker, granted.schema or "all", granted.kind),
            f"Each table that `{granted.maker}` makes{where} will be open to every role for "
            f"{privileges}, those made next year included.",
            ("Take the default back, and grant on each table what it needs.",),
            f"alter default privileges for role {quoted(granted.maker)}"
            + (f" in schema {quoted(granted.schema)}" if granted.schema else "")
            + f" revoke {privileges.lower()} on {granted.kind} from public;",
            seen=f"pg_default_acl of {granted.maker}: {privileges} to PUBLIC",
            database=database,
        )
