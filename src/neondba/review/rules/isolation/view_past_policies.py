"""A view hands out its tables' rows with the rights of whoever made it.

Policies of the tables below are asked for the owner of the view, who passes them all. Supabase hands out
views of the schema `public` like tables, to everyone who has the public key.

## Instead

```ts bad path=src/client.ts case=open
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql bad path=migrations/0001_drafts.sql case=open
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id uuid NOT NULL, content text NOT NULL);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
```
```sql bad path=views/latest.sql case=open
CREATE VIEW latest AS SELECT user_id, content FROM drafts;  -- <- finding
```

```ts good path=src/client.ts case=open
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql good path=migrations/0001_drafts.sql case=open
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id uuid NOT NULL, content text NOT NULL);
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
```
```sql good path=views/latest.sql case=open
CREATE VIEW latest WITH (security_invoker = on) AS SELECT user_id, content FROM drafts;
```

## When it does not matter

A view that asks for the caller itself:

```ts good path=src/client.ts case=own
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql good path=migrations/0001_drafts.sql case=own
CREATE TABLE drafts (id bigint PRIMARY KEY, user_id uuid NOT NULL, content text NOT NULL);
CREATE VIEW latest AS SELECT content FROM drafts WHERE user_id = auth.uid();
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.tree import Tree
from neondba.project.typescript.owned import OwnedTables
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._browser import data_api, is_closed, is_personal, plain_name, sql_texts

VIEW = re.compile(
    r"^[ \t]*create\s+(?:or\s+replace\s+)?view\s+([\w.\"]+)\s*(with\s*\([^)]*\)\s*)?as\b([^;]*)",
    re.IGNORECASE | re.MULTILINE,
)
READ = re.compile(r"\b(?:from|join)\s+([\w.\"]+)", re.IGNORECASE)
ASKS = re.compile(r"auth\.(?:uid|jwt|user_id)|current_setting\(", re.IGNORECASE)


@rule("NDB427", Category.ISOLATION, Severity.MEDIUM)
def check(tree: Tree, owned: OwnedTables) -> Iterator[Finding]:
    """Look for views over private tables that ask with the rights of their owner."""
    client = data_api(tree)
    texts = sql_texts(tree) if client else {}
    if not client or is_closed(texts):
        return
    altered = "\n".join(t for t in texts.values() if "security_invoker" in t.lower()).lower()
    for path, text in texts.items():
        for match in VIEW.finditer(text):
            name = plain_name(match[1])
            later = re.search(rf"alter\s+view\s+[\w.\"]*\b{re.escape(name)}\b[^;]*security_invoker", altered)
            if "security_invoker" in (match[2] or "").lower() or later or ASKS.search(match[3]):
                continue
            if private := _private(match[3], owned):
                line = text.count("\n", 0, match.start()) + 1
                yield _finding(path, line, name, private)


def _private(body: str, owned: OwnedTables) -> str:
    for match in READ.finditer(body):
        name = plain_name(match[1])
        if is_personal(owned, name):
            return name
    return ""


def _finding(path: str, line: int, name: str, table: str) -> Finding:
    return Finding(
        path,
        line,
        f"Every visitor who has the public key may read {name} through Supabase's data API: it reads "
        f"{table} with the rights of its owner, whom no policy of {table} binds.",
        steps=(f"Let {name} read with the rights of whoever asks, and give {table} policies.",),
        snippet=f"ALTER VIEW {name} SET (security_invoker = on);",
    )
