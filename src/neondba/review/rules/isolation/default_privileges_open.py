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

Grants to roles of the program, and reading granted to a role of users whose tables all have row-level
security:

```sql silent case=program
create role reporting;
alter default privileges in schema public grant select on tables to reporting;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import PLATFORM, Database
from neondba.project.database_places import Places
from neondba.review.catalog import counted, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

WRITING = frozenset({"insert", "update", "delete", "truncate"})


@rule("NDB454", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find default privileges on tables for PUBLIC, and writing ones for roles of users."""
    for granted in database.default_privileges:
        open_to_all = granted.grantee == "public"
        writes = granted.grantee in database.users and WRITING & set(granted.privileges)
        if granted.kind != "tables" or granted.schema in PLATFORM or not (open_to_all or writes):
            continue
        bare = [t for t in database.tables if not t.secured and granted.schema in (None, t.schema)]
        where = f" in schema {granted.schema}" if granted.schema else ""
        who = "every role" if open_to_all else f"`{granted.grantee}`"
        privileges = ", ".join(p.upper() for p in granted.privileges)
        yield shown(
            places.other("default-privileges", granted.maker, granted.schema or "all", granted.kind),
            f"Each table that `{granted.maker}` makes{where} will be open to {who} for {privileges}; "
            f"{counted(len(bare), 'table')} there {'has' if len(bare) == 1 else 'have'} no row-level "
            "security.",
            ("Take the default back, and grant on each table what it needs.",),
            f"alter default privileges for role {granted.maker}"
            + (f" in schema {granted.schema}" if granted.schema else "")
            + f" revoke {privileges.lower()} on {granted.kind} from {granted.grantee};",
            seen=f"pg_default_acl of {granted.maker}: {privileges} to {granted.grantee}",
            database=database,
        )
