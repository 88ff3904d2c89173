"""An extension is older than the one the server has.

An upgrade of the server brings new code for an extension; its objects in the database stay as they are until
they are updated. Fixes, of faults and of holes, wait there.

## Instead

```sql fault superuser object=extension.amcheck
create extension amcheck version '1.3';
```

```sql repair superuser
alter extension amcheck update;
```

## When it does not matter

A version that the server does not know was put there by hand; nothing can be said about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB748", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find extensions whose default version is another one than the installed."""
    for extension in database.extensions:
        if extension.known and extension.newest not in (None, extension.version):
            yield shown(
                places.other("extension", extension.name),
                f"Extension `{extension.name}` is at {extension.version}; the server has {extension.newest}.",
                ("Read its release notes, try the update on a branch, then update.",),
                f'alter extension "{extension.name}" update;',
                seen=f"extversion {extension.version}, default_version {extension.newest}",
                database=database,
            )
