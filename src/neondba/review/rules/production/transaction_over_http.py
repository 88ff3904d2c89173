"""A transaction is opened over a connection that has none.

Neon's HTTP driver sends each statement as a request of its own. `drizzle-orm/neon-http` answers
`db.transaction(…)` with the error `No transactions support in neon-http driver`, and Prisma's HTTP adapter
refuses `$transaction` as well: the function fails every time it is called.

## Instead
```typescript bad path=src/db.ts case=drizzle
import { neon } from "@neondatabase/serverless";
import { drizzle } from "drizzle-orm/neon-http";

export const db = drizzle(neon(process.env.DATABASE_URL!));
```
```typescript bad path=src/orders.ts case=drizzle
import { db } from "./db";

export async function order(id: string) {
  await db.transaction(async (tx) => { // <- finding
    await tx.insert(orders).values({ id });
  });
}
```
The same behind a function that makes the client when it is first wanted:
```typescript bad path=src/db.ts case=lazy
import { neon } from "@neondatabase/serverless";
import { drizzle } from "drizzle-orm/neon-http";

let made: ReturnType<typeof drizzle> | null = null;

export function getDb() {
  if (made) return made;
  made = drizzle(neon(process.env.DATABASE_URL!));
  return made;
}

export const db = new Proxy({}, { get: (_, name) => getDb()[name] });
```
```typescript bad path=src/orders.ts case=lazy
import { db } from "./db";

export async function order(id: string) {
  await db.transaction(async (tx) => { // <- finding
    await tx.insert(orders).values({ id });
  });
}
```
```typescript good path=src/db.ts case=drizzle
import { Pool } from "@neondatabase/serverless";
import { drizzle } from "drizzle-orm/neon-serverless";

export const db = drizzle(new Pool({ connectionString: process.env.DATABASE_URL }));
```
```typescript good path=src/orders.ts case=drizzle
import { db } from "./db";

export async function order(id: string) {
  await db.transaction(async (tx) => {
    await tx.insert(orders).values({ id });
  });
}
```
## When it does not matter
`db.batch([…])` sends several statements in one transaction over HTTP, and another client may stand beside it:
```typescript good path=src/orders.ts case=batch
import { neon } from "@neondatabase/serverless";
import { drizzle } from "drizzle-orm/neon-http";
import { pooled } from "./pooled";

const db = drizzle(neon(process.env.DATABASE_URL!));

export async function order(id: string) {
  await db.batch([db.insert(orders).values({ id }), db.insert(lines).values({ orderId: id })]);
  await pooled.transaction(async (tx) => undefined);
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Function, Member, Name, Node, Object, Return, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_SOURCE = "drizzle-orm/neon-http"
_ADAPTERS = frozenset({"PrismaNeonHTTP", "PrismaNeonHttp"})


@rule("NDB912", Category.PRODUCTION, Severity.HIGH)
def check(files: TypeScriptFiles) -> Iterator[Finding]:
    """Find transactions of clients that are made over HTTP."""
    if not any(files.containing(_SOURCE, *_ADAPTERS)):
        return
    for file in files.containing(".transaction(", ".$transaction("):
        if is_test(file.path):
            continue
        for call in file.calls_of("transaction", "$transaction"):
            callee = call.callee
            if not isinstance(callee, Member) or not isinstance(callee.object, Name):
                continue
            found = files.resolve(file, callee.object.name)
            if found is not None and _is_http(found.file, found.node):
                yield Finding(
                    file.path,
                    call.line,
                    f"{callee.object.name}.{callee.name}() fails whenever it is called: {found.file.path} "
                    f"makes {callee.object.name} over HTTP, which has no transactions.",
                    steps=(
                        "Use the driver over WebSockets (Pool) where a transaction is needed.",
                        "Or send the statements together with batch(), which is one transaction over HTTP.",
                    ),
                    snippet='import { drizzle } from "drizzle-orm/neon-serverless";',
                )


def _is_http(file: TypeScriptFile, node: Node) -> bool:
    """Tell whether every client that an expression makes speaks HTTP."""
    made = [n for n in walk(node) if isinstance(n, Call) and isinstance(n.callee, Name)]
    drizzles = [n for n in made if _imported(file, n) == "drizzle"]
    if drizzles:
        return all(file.imports[str(n.name)].source == _SOURCE for n in drizzles)
    if isinstance(node, Function):
        returned = [n.value for n in walk(node.body) if isinstance(n, Return) and n.value is not None]
        return bool(returned) and all(_is_http(file, value) for value in returned)
    if isinstance(node, Call) and node.name == "Proxy":
        inner = [d for n in made if n is not node and (d := file.definitions.get(n.name)) is not None]
        return bool(inner) and all(_is_http(file, definition) for definition in inner)
    client = next((n for n in made if n.name == "PrismaClient"), None)
    options = client.arguments[0] if client and client.arguments else None
    adapter = options.get("adapter") if isinstance(options, Object) else None
    if isinstance(adapter, Name):
        adapter = file.definitions.get(adapter.name)
    return isinstance(adapter, Call) and adapter.name in _ADAPTERS


def _imported(file: TypeScriptFile, call: Call) -> str:
    found = file.imports.get(call.name)
    return found.imported if found is not None and found.source.startswith("drizzle-orm/") else ""
