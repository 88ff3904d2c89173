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

The text may be put together earlier, and the value may come a long way:

```ts bad path=src/app/api/items/route.ts
import { sql } from "drizzle-orm";
import { db } from "@/db";

export async function GET(request: Request) {
  const { searchParams } = new URL(request.url);
  const name = searchParams.get("name") ?? "";
  const where = `name ILIKE '%${name}%'`;  // <- finding
  return Response.json(await db.execute(sql.raw(`SELECT id FROM items WHERE ${where}`)));
}
```

## When it does not matter

Constant texts, numbered parameters, tagged templates, numbers, and values that are held against a list:

```ts good path=src/search.ts
import { sql } from "drizzle-orm";
import { db, pool, prisma } from "./db";

const COLUMNS = { name: "items.name", age: "items.created_at" };

export async function find(name: string, table: string, ids: string[], limit: number, order: "asc" | "desc") {
  await prisma.$executeRawUnsafe("CREATE EXTENSION IF NOT EXISTS vector");
  await prisma.$queryRawUnsafe("SELECT id FROM items WHERE name = $1", name);
  await pool.query(`SELECT id FROM ${table} WHERE name = $1`, [name]);
  await db.execute(sql`SELECT id FROM items WHERE name = ${name} LIMIT ${limit}`);
  await db.execute(sql.raw(`SELECT id FROM items ORDER BY name ${order} LIMIT ${limit}`));
  const marks = ids.map((_, i) => `$${i + 1}`).join(", ");
  return pool.query(`SELECT id FROM items WHERE id IN (${marks})`, ids);
}

export async function sorted(request: { query: { sort: string; by: keyof typeof COLUMNS } }) {
  const sort = request.query.sort;
  if (!["name", "age"].includes(sort)) throw new Error("unknown column");
  await pool.query(`SELECT id FROM items ORDER BY ${sort}`);
  return pool.query(`SELECT id FROM items ORDER BY ${COLUMNS[request.query.by]} LIMIT ${Number(sort)}`);
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_migration, is_script
from neondba.project.raw_sql import UNSAFE, RawSql, RawSqls
from neondba.project.script_values import Reach
from neondba.project.sql_flow import INTERNAL
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_BIND = {
    "prisma": "prisma.$queryRaw`SELECT ... WHERE name = ${name}`",
    "drizzle": "db.execute(sql`SELECT ... WHERE name = ${name}`)",
    "pool": 'pool.query("SELECT ... WHERE name = $1", [name])',
}


@rule("NDB303", Category.ORM_BYPASS, Severity.HIGH)
def check(raw: RawSqls) -> Iterator[Finding]:
    """Look for values in texts that are sent as SQL; each line once."""
    told = set()
    for found in raw.all:
        place = (found.file.path, found.line)
        if place not in told and _matters(found):
            told.add(place)
            yield _finding(found)


def _matters(found: RawSql) -> bool:
    """A client's value always; a caller's where it is a value and no name of the program's own."""
    if is_migration(found.file.path):
        return False
    if found.reach is Reach.CLIENT or found.quoted:
        return True
    last = found.value.rpartition(".")[2]
    unsafe = found.call.name.rpartition(".")[2] in UNSAFE
    return unsafe and last != "?" and not INTERNAL.search(last)


def _finding(found: RawSql) -> Finding:
    by_hand = is_script(found.file.path)
    client = found.reach is Reach.CLIENT and not by_hand
    value = found.value if re.fullmatch(r"[\w.$\[\]]+", found.value) else "a value"
    last = found.call.name.rpartition(".")[2]
    way = "prisma" if "Raw" in last else "drizzle" if last in ("raw", "unsafe") else "pool"
    whose = "the client that sends it" if client else "whoever chooses it"
    return Finding(
        found.file.path,
        found.line,
        f"{value} becomes part of the SQL that {found.call.name}() sends: {whose} can read, change or "
        "delete other rows.",
        steps=(
            "Write the value as a parameter, or use the tagged template that binds it.",
            "Names of tables and columns cannot be bound: choose them from a fixed list.",
        ),
        snippet=_BIND[way],
        severity=Severity.CRITICAL if client else Severity.LOW if by_hand else Severity.HIGH,
    )
