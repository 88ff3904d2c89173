"""Deleting a user deletes the record of what the user did.

An audit trail answers who changed what, also for people who have left. With ON DELETE CASCADE it forgets
exactly those: whoever can delete an account can remove its traces.

## Instead

```prisma bad path=prisma/schema.prisma
model User {
  id  String          @id
  log AdminAuditLog[]
}
model AdminAuditLog {
  id      String @id
  action  String
  adminId String
  admin   User   @relation(fields: [adminId], references: [id], onDelete: Cascade) // <- finding
}
```

```sql good path=schema.sql
create table users (id bigint primary key);
create table audit_log (
  id bigint primary key,
  action text not null,
  actor_id bigint references users (id) on delete set null
);
```

## When it does not matter

Logs of other things go with what they are about, and a user's own history is the user's:

```sql good path=schema.sql
create table users (id bigint primary key);
create table jobs (id bigint primary key);
create table job_log (id bigint primary key, job_id bigint references jobs (id) on delete cascade);
create table search_history (id bigint primary key, user_id bigint references users (id) on delete cascade);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import Schema
from neondba.project.schema_provider import plain
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import own_tables, words

USERS = frozenset({"user", "account", "member", "employee", "admin", "staff"})


@rule("NDB723", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find audit trails whose rows go with the user."""
    for table in own_tables(schema):
        parts = set(words(table.label or table.name.name))
        if not ("audit" in parts or {"admin", "activity"} <= parts or {"admin", "log"} <= parts):
            continue
        for key in table.references:
            if key.on_delete.lower() == "cascade" and plain(key.table.name) in USERS:
                yield Finding(
                    key.path,
                    key.line,
                    f"Deleting a row of `{key.table}` deletes what `{table.title}` says about it: the trail "
                    "ends with the account.",
                    ("Use ON DELETE SET NULL and keep the name as text, or RESTRICT.",),
                    "onDelete: SetNull" if table.source == "prisma" else "on delete set null",
                )
                break
