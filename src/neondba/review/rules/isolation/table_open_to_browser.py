"""Tables stand open to everyone who has the public key of Supabase.

Supabase answers requests from the browser itself: whoever has the key that the page carries may read
and write each table of the schema `public` that has no row-level security. The program's own checks
are not asked.

## Instead

```ts bad path=src/client.ts case=open
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql bad path=migrations/0001_messages.sql case=open
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id uuid NOT NULL, content text NOT NULL);  -- <- finding
```

```ts good path=src/client.ts case=open
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql good path=migrations/0001_messages.sql case=open
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id uuid NOT NULL, content text NOT NULL);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON drafts USING (user_id = (SELECT auth.uid()));
```

## When it does not matter

Where the public key is not used, the service's own key alone reaches the tables:

```ts good path=src/client.ts case=service
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
```
```sql good path=migrations/0001_messages.sql case=service
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id uuid NOT NULL, content text NOT NULL);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.row_security import RowSecurity
from neondba.project.schema import Schema
from neondba.project.schema_table import Table
from neondba.project.tree import Tree
from neondba.project.typescript.owned import OwnedTables
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._browser import data_api, is_closed, is_personal, secured, sql_texts

DRIZZLE = (".enableRLS(", ".withRLS(", "pgPolicy(", "crudPolicy(")
NAMED = 4
TOLD = re.compile(r"message|notif|chat|payment|invoice|order|document|token|medical|health", re.IGNORECASE)
"""Tables that a finding names first."""


@rule("NDB426", Category.ISOLATION, Severity.HIGH)
def check(tree: Tree, schema: Schema, owned: OwnedTables, security: RowSecurity) -> Iterator[Finding]:
    """Look for owned tables that the data API hands out."""
    client = data_api(tree)
    texts = sql_texts(tree) if client else {}
    if not client or is_closed(texts):
        return
    known = secured(texts) | {key.rpartition(".")[2] for s in security.states for key in s.enabled}
    found = [t for t in schema.tables if _is_open(tree, t, known)]
    private = [t for t in found if is_personal(owned, t.name.name)]
    private.sort(key=lambda t: not TOLD.search(t.name.name))
    # The rule on single forgotten tables speaks where their neighbours are secured.
    if private and not any(
        s.enabled and s.has_user_roles for s in security.states if _makes(s.created, private)
    ):
        yield _finding(private, client, len({t.name.key for t in found}))


def _makes(created: dict[str, object] | object, tables: list[Table]) -> bool:
    return isinstance(created, dict) and any(t.source == "sql" and t.name.key in created for t in tables)


def _is_open(tree: Tree, table: Table, known: set[str]) -> bool:
    if table.source not in ("drizzle", "sql", "prisma") or table.provider:
        return False
    if table.name.schema not in (None, "public") or table.name.name.lower() in known:
        return False
    if table.source != "drizzle":
        return True
    lines = (tree.text(table.path) or "").splitlines()[table.line - 1 :]
    rest = "\n".join(lines)
    end = rest.find("Table(", rest.find("Table(") + 1)
    return not any(word in rest[: end if end > 0 else None] for word in DRIZZLE)


def _finding(tables: list[Table], client: str, count: int) -> Finding:
    table = tables[0]
    names = list(dict.fromkeys(t.name.name for t in tables))
    told = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    alter = "\n".join(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;" for name in names[:NAMED])
    return Finding(
        table.path,
        table.line,
        f"Whoever has the public key of {client}, and so every visitor, may read and change all rows of "
        f"{told} through Supabase's data API: {count} tables have no row-level security.",
        steps=(
            "Switch row-level security on for every table of the schema public.",
            "Write a policy for each that compares the row with auth.uid().",
        ),
        snippet=alter,
    )
