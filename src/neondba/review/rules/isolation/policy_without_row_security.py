"""A table has policies, but row-level security is not switched on.

Postgres keeps the policies and applies none of them. Every role with a privilege on the table reaches
all rows.

## Instead

```sql bad path=migrations/006_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
CREATE POLICY own ON notes USING (user_id = auth.user_id());  -- <- finding
```

```sql good path=migrations/006_notes.sql
CREATE TABLE notes (id bigint PRIMARY KEY, user_id text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = auth.user_id());
```

## When it does not matter

The table belongs to another program, which switched it on; and security without any policy is a
deliberate "nobody but the program":

```sql good path=migrations/006_notes.sql
CREATE POLICY own_files ON storage.objects FOR SELECT USING (owner = auth.uid());
CREATE TABLE customers (id uuid PRIMARY KEY, stripe_id text);
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.postgres.statement import CreatePolicy
from neondba.project.row_security import RowSecurity
from neondba.project.sql import SqlFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB414", Category.ISOLATION, Severity.HIGH)
def check(security: RowSecurity, sql: SqlFiles) -> Iterator[Finding]:
    """Look for policies on tables that never get row-level security."""
    if any(
        "execute format" in f.text.lower() and "row level security" in f.text.lower() for f in sql.values()
    ):
        return
    enabled = {key for state in security.states for key in state.enabled}
    for state in security.states:
        told: set[str] = set()
        for placed in state.policies.values():
            action = placed.action
            if not isinstance(action, CreatePolicy):
                continue
            key = action.table.key
            if key in state.created and key not in enabled and key not in told:
                told.add(key)
                yield Finding(
                    placed.path,
                    placed.line,
                    f'Policy "{action.name}" does nothing: row-level security of {action.table} is '
                    "off, so every role "
                    "with a privilege on it reaches all rows.",
                    steps=(f"Switch row-level security on for {action.table}, in the same migration.",),
                    snippet=f"ALTER TABLE {action.table} ENABLE ROW LEVEL SECURITY;",
                )
