"""An account cannot be deleted while a row refers to it.

The foreign key to the provider's user table says nothing about deletion, so PostgreSQL refuses to delete
the user as long as one row refers to it. The provider then answers a request for deletion with an error that
nobody sees, and the account stays.

## Instead

```sql bad path=supabase/migrations/001_profiles.sql
create table profiles (
  id uuid primary key references auth.users,  -- <- finding
  name text
);
```

```sql good path=supabase/migrations/001_profiles.sql
create table profiles (
  id uuid primary key references auth.users on delete cascade,
  name text
);
```

## When it does not matter

`on delete restrict` says that the refusal is meant, and other parents are the application's own affair:

```sql good path=supabase/migrations/001_invoices.sql
create table teams (id uuid primary key);
create table invoices (
  id uuid primary key,
  user_id uuid references auth.users on delete restrict,
  author_id uuid references auth.users on delete set null,
  team_id uuid references teams
);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.schema import ForeignKey, Schema, Table
from neondba.project.schema_provider import AUTH_JS, SCHEMAS
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.schema._shared import listed, own_tables, quoted

USERS = frozenset({"user", "users", "users_sync"})


@rule("NDB706", Category.SCHEMA, Severity.LOW)
def check(schema: Schema) -> Iterator[Finding]:
    """Find foreign keys to a provider's users that forbid their deletion, once a file."""
    by_file: dict[str, list[tuple[Table, ForeignKey]]] = {}
    for table in own_tables(schema):
        if table.source == "prisma":
            continue
        for key in table.references:
            if key.on_delete == "no action" and _is_providers_user(schema, key):
                by_file.setdefault(table.path, []).append((table, key))
    for keys in by_file.values():
        table, key = min(keys, key=lambda pair: pair[1].line)
        yield Finding(
            key.path,
            key.line,
            f"An account in `{key.table}` cannot be deleted while a row of "
            f"{listed(t.name.name for t, _ in keys)} refers to it.",
            ("Say what happens to the rows: ON DELETE CASCADE or SET NULL.",
             "If the refusal is meant, write ON DELETE RESTRICT."),
            _snippet(table, key),
        )  # fmt: skip


def _is_providers_user(schema: Schema, key: ForeignKey) -> bool:
    if key.table.name.lower() not in USERS:
        return False
    target = schema.find(key.table)
    return key.table.schema in SCHEMAS or (target is not None and target.provider not in (None, AUTH_JS))


def _snippet(table: Table, key: ForeignKey) -> str:
    columns = ", ".join(quoted(c) for c in key.columns)
    name = quoted(key.name or "_".join([table.name.name, *key.columns, "fkey"]))
    return (
        f"alter table {quoted(table.name)} drop constraint {name},\n"
        f"  add constraint {name} foreign key ({columns}) references {quoted(key.table)}\n"
        "  on delete cascade not valid;"
    )
