"""One table of users' rows lacks row-level security among tables that have it.

Where users reach the database as themselves, a table without it is open to each of them.

## Instead

```sql bad path=migrations/008_tables.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id text NOT NULL);  -- <- finding
```

```sql good path=migrations/008_tables.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON drafts USING (user_id = auth.user_id());
```

## When it does not matter

Where the application alone speaks to the database and no table has policies, and tables without an owner:

```sql good path=migrations/008_tables.sql
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id text NOT NULL);
```
```sql good path=migrations/009_countries.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.statement import CreateTable
from neondba.project.row_security import RowSecurity
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB415", Category.ISOLATION, Severity.HIGH)
def check(security: RowSecurity, sql: SqlFiles) -> Iterator[Finding]:
    """Look for owned tables without row-level security beside tables with it."""
    if any(
        "execute format" in f.text.lower() and "row level security" in f.text.lower() for f in sql.values()
    ):
        return
    enabled = {key for state in security.states for key in state.enabled}
    for state in security.states:
        if not state.enabled or not state.has_user_roles:
            continue
        for key, placed in state.created.items():
            action = placed.action
            if not isinstance(action, CreateTable) or key in enabled or action.temporary:
                continue
            owner = state.owner(action.table)
            if owner is not None and action.table.schema in (None, "public"):
                yield Finding(
                    placed.path,
                    placed.line,
                    "Any user who reaches the database may read and change all rows of "
                    f"{action.table}: the tables "
                    "beside it have row-level security, this one has not.",
                    steps=(
                        f"Switch row-level security on for {action.table}.",
                        f"Add a policy that compares {owner} with the user of the request.",
                    ),
                    snippet=f"ALTER TABLE {action.table} ENABLE ROW LEVEL SECURITY;\n"
                    f"CREATE POLICY own ON {action.table} USING ({owner} = (SELECT auth.user_id()));",
                )
