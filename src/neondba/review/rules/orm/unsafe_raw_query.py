r"""Values are pasted into the text of a raw query in JavaScript.

`$queryRawUnsafe` and its kin send the text as it is. A value pasted into it can end its quotes and say
something else; a tagged template or a parameter cannot.

## Instead

```ts bad path=src/search.ts
import { prisma } from "./db";

export async function find(name: string) {
  return prisma.$queryRawUnsafe(`SELECT id FROM items WHERE name = '${name}'`);  // <- finding
}
```

```ts good path=src/search.ts
import { prisma } from "./db";

export async function find(name: string) {
  return prisma.$queryRaw`SELECT id FROM items WHERE name = ${name}`;
}
```

```ts bad path=src/pool.ts
import { pool } from "./db";

export async function find(request: { query: { name: string } }) {
  return pool.query(`SELECT id FROM items WHERE name = '${request.query.name}'`);  // <- finding
}
```

## When it does not matter

Constant texts, numbered parameters, and tagged templates:

```ts good path=src/search.ts
import { pool, prisma } from "./db";

export async function find(name: string, table: string) {
  await prisma.$executeRawUnsafe("CREATE EXTENSION IF NOT EXISTS vector");
  await prisma.$queryRawUnsafe("SELECT id FROM items WHERE name = $1", name);
  await pool.query(`SELECT id FROM ${table} WHERE name = $1`, [name]);
  return pool.query("SELECT id FROM items WHERE name = $1", [name]);
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.routes import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

UNSAFE = re.compile(
    r"(?P<call>\$(?:query|execute)RawUnsafe|\.unsafe|\.query|\.execute)(?:<[^<>()]{0,80}>)?\(\s*`(?P<sql>[^`]{1,4000})`"
)
VERB = re.compile(
    r"\s*(?:select|insert|update|delete|with|alter|drop|create|grant|truncate)\b", re.IGNORECASE
)
QUOTED = re.compile(r"'%?\$\{(?P<value>[^{}]{1,120})\}%?'")
FROM_CLIENT = re.compile(r"\$\{(?P<value>(?:req|request|params|body|input|searchParams)\b[^{}]{1,120})\}")
WORDS = ("RawUnsafe(", ".unsafe(", ".query(", ".execute(", "RawUnsafe<", ".query<")


@rule("NDB303", Category.ORM_BYPASS, Severity.HIGH)
def check(tree: Tree) -> Iterator[Finding]:
    """Look for template literals with values in quotes that are sent as SQL."""
    for path in tree.named(suffix=(".ts", ".tsx", ".js", ".mjs", ".cjs")):
        text = "" if is_test(path) else tree.text(path) or ""
        if not any(word in text for word in WORDS):
            continue
        for match in UNSAFE.finditer(text):
            value = QUOTED.search(match["sql"]) or FROM_CLIENT.search(match["sql"])
            if value is None or not VERB.match(match["sql"]) or value["value"].isupper():
                continue
            line = text.count("\n", 0, match.start("sql") + value.start()) + 1
            yield Finding(
                path,
                line,
                f"{value['value']} becomes part of the SQL text: whoever chooses it can read, change "
                "or delete "
                "other rows.",
                steps=("Write the value as a parameter, or use the tagged template that binds it.",),
                snippet="prisma.$queryRaw`SELECT ... WHERE name = ${name}`"
                if "Raw" in match["call"]
                else 'pool.query("SELECT ... WHERE name = $1", [name])',
            )
