"""A function runs with its owner's rights for a user whom the caller names.

`SECURITY DEFINER` passes all policies, and PUBLIC may execute every new function. Supabase lets everyone
who has the public key call it, with the id of any user.

## Instead

```ts bad path=src/client.ts case=open
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql bad path=functions/drafts.sql case=open
CREATE FUNCTION drafts_of(from_user_id uuid) RETURNS SETOF text  -- <- finding
LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$ SELECT content FROM public.drafts WHERE user_id = from_user_id $$;
```

```ts good path=src/client.ts case=open
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql good path=functions/drafts.sql case=open
CREATE FUNCTION my_drafts() RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$ SELECT content FROM public.drafts WHERE user_id = auth.uid() $$;
```

## When it does not matter

Where nobody but the service may execute it, and where it compares the id with the caller:

```ts good path=src/client.ts case=revoked
import { createClient } from "@supabase/supabase-js";
export const client = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
```
```sql good path=functions/drafts.sql case=revoked
CREATE FUNCTION drafts_of(from_user_id uuid) RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$ SELECT content FROM public.drafts WHERE user_id = from_user_id $$;
REVOKE EXECUTE ON FUNCTION drafts_of(uuid) FROM public, anon;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._browser import data_api, is_closed, plain_name, sql_texts

FUNCTION = re.compile(
    r"^[ \t]*create\s+(?:or\s+replace\s+)?function\s+([\w.\"]+)\s*\(([^)]*)\)(.*?)(\$\w*\$)(.*?)\4([^;]*);",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
TAKES = re.compile(
    r"\b(\w*(?:user|profile|account|owner|member)\w*_?id)\s+(?:uuid|text|bigint|integer)\b", re.IGNORECASE
)
ASKS = re.compile(r"auth\.(?:uid|jwt|role|user_id)|current_setting\(|session_user", re.IGNORECASE)


@rule("NDB428", Category.ISOLATION, Severity.MEDIUM)
def check(tree: Tree) -> Iterator[Finding]:
    """Look for functions with their owner's rights that believe an id of a user."""
    client = data_api(tree)
    texts = sql_texts(tree) if client else {}
    if not client or is_closed(texts):
        return
    for path, text in texts.items():
        for match in FUNCTION.finditer(text) if "definer" in text.lower() else ():
            header = f"{match[3]} {match[6]}".lower()
            taken = TAKES.search(match[2])
            if taken is None or "security definer" not in " ".join(header.split()):
                continue
            if not re.search(r"returns\s+trigger", header) and not ASKS.search(match[5]):
                line = text.count("\n", 0, match.start()) + 1
                yield _finding(path, line, plain_name(match[1]), taken[1])


def _finding(path: str, line: int, name: str, taken: str) -> Finding:
    return Finding(
        path,
        line,
        f"Every visitor who has the public key may call {name} with the id of any user as {taken}: it runs "
        "with its owner's rights, so that no policy is asked.",
        steps=(
            "Take the user from auth.uid() instead, or compare the argument with it.",
            "Or take EXECUTE back from PUBLIC, where only the service calls it.",
        ),
        snippet=f"REVOKE EXECUTE ON FUNCTION {name} FROM public, anon, authenticated;",
    )
