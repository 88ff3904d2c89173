"""Extensions live in the schema `public`, among the project's own tables.

Their functions are in everybody's search path, a data API offers them to users, and a name of theirs may
take the place of one of yours.

## Instead

```sql fault object=public
create extension ltree;
```

```sql repair
drop extension ltree;
create schema extensions;
create extension ltree schema extensions;
```

## When it does not matter

Where no user reaches the database with a role of their own, it is a matter of order. Said once. Only a
superuser can move an extension: the owner of a Neon database makes it anew, before anything depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import counted, listed, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB747", Category.SCHEMA, Severity.LOW)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find extensions in public; one finding for all."""
    found = [e for e in database.extensions if e.schema == "public"]
    if found:
        yield shown(
            places.other("public"),
            f"{counted(len(found), 'extension')} ({listed(e.name for e in found)}) put their functions and "
            "types into `public`, among your own.",
            (
                "Make a schema for extensions, and make new ones there.",
                "Make an old one anew there only where no column or index depends on it.",
            ),
            "create schema extensions;\ncreate extension … schema extensions;",
            seen=", ".join(f"{e.name} {e.version}" for e in found),
            database=database,
        )
