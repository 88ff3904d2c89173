"""Every role may create objects in a schema.

Until PostgreSQL 15 that was the default for `public`, and databases that were upgraded or restored kept it.
Whoever creates a function or table there puts it in the way of others that use its name without a schema.

## Instead

```sql fault object=shared
create schema shared;
grant create /* as every database did before PostgreSQL 15 */ on schema shared to public;
```

```sql repair
revoke create on schema shared from public;
```

## When it does not matter

Where nobody but the owner can log in.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB455", Category.ISOLATION, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find schemas with CREATE granted to PUBLIC."""
    for schema in database.schemas:
        if schema.open:
            yield shown(
                places.other(schema.name),
                f"Every role may create tables and functions in schema `{schema.name}`, in the way of "
                "names that others use without a schema.",
                ("Take CREATE back from PUBLIC; grant it to the role that runs migrations.",),
                f"revoke create on schema {quoted(schema.name)} from public;",
                seen=f"nspacl of {schema.name} grants CREATE to PUBLIC",
                database=database,
            )
