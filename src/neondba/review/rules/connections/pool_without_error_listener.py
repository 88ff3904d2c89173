"""Nobody listens to the pool's errors, so a lost connection ends the process.

The compute sleeps after five minutes without a query, and closes what is open. node-postgres tells of each
idle connection that is lost with an `error` event of the pool; an event of this name that nobody listens to
makes Node end the process, with all requests that it is serving.

## Instead

```typescript bad path=src/db.ts
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });  // <- finding
export const db = drizzle(pool);
```

```typescript good path=src/db.ts
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
pool.on("error", (error) => console.error("idle connection lost", error));
export const db = drizzle(pool);
```

## When it does not matter

Scripts that end by themselves, and adapters that listen:

```typescript good path=src/db.ts case=adapter
import { PrismaPg } from "@prisma/adapter-pg";
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
export const adapter = new PrismaPg(pool);
```

```typescript good path=scripts/seed.ts case=script
import { Pool } from "pg";

const pool = new Pool({ connectionString: process.env.DATABASE_URL });
await pool.query("insert into tags (name) values ('new')");
await pool.end();
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_migration, is_script, is_test
from neondba.project.script_clients import STAYS
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_FILES = (".ts", ".js", ".mjs", ".cjs", ".mts")
_PG = re.compile(r"from\s+[\"']pg[\"']|require\(\s*[\"']pg[\"']\s*\)")
_POOL = re.compile(r"^(?!\s*(?://|\*))[^\n]*\bnew\s+(?:pg\.)?Pool\(", re.MULTILINE)
_LISTENS = re.compile(
    r"\.(?:on|once|addListener)\(\s*[\"'`]error[\"'`]|PrismaPg|attachDatabasePool|uncaughtException"
)


@rule("NDB226", Category.CONNECTION, Severity.MEDIUM)
def check(tree: Tree) -> Iterator[Finding]:
    """Report the pool of each file that nobody in the project listens to."""
    paths = [p for p in tree.having(_FILES, ("Pool(",)) if not is_test(p)]
    if any("uncaughtException" in (tree.text(p) or "") for p in tree.having(_FILES, ("uncaughtException",))):
        return
    for path in paths:
        text = tree.text(path) or ""
        found = _POOL.search(text) if _PG.search(text) else None
        name = path.rpartition("/")[2].lower()
        by_hand = is_script(path) or is_migration(path) or any(w in name for w in ("migrat", "seed", "test"))
        if found is None or by_hand or _LISTENS.search(text) or ".end()" in text or not STAYS.search(text):
            continue
        yield Finding(
            path,
            text.count("\n", 0, found.end()) + 1,
            "When the compute goes to sleep, or restarts, the pool's idle connections are lost; nobody "
            "listens to its error event, and Node ends the process.",
            ("Listen to the error event, and log it: the pool opens a new connection by itself.",),
            'pool.on("error", (error) => console.error("idle connection lost", error));',
        )
