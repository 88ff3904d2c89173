"""A handler changes shared rows and asks nobody, while its neighbours ask.

The rows have no owner of their own: products, categories, settings. Other handlers of the project turn
strangers away before they write. Route handlers and server actions are addresses on the internet; the
page that hides the button protects none of them.

## Instead

```ts bad path=src/app/api/products/route.ts case=shop
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function POST(request: Request) {
  const session = await auth();
  if (!session) return Response.json({ error: "Unauthorized" }, { status: 401 });
  const { name } = await request.json();
  return Response.json(await prisma.product.create({ data: { name } }));
}

export async function DELETE(request: Request) {
  const { id } = await request.json();
  await prisma.product.delete({ where: { id } });  // <- finding
  return Response.json({ done: true });
}
```

```prisma bad path=prisma/schema.prisma case=shop
model Product {
  id   String @id
  name String
}
```

```ts good path=src/app/api/products/route.ts case=shop
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function POST(request: Request) {
  const session = await auth();
  if (!session) return Response.json({ error: "Unauthorized" }, { status: 401 });
  const { name } = await request.json();
  return Response.json(await prisma.product.create({ data: { name } }));
}

export async function DELETE(request: Request) {
  const session = await auth();
  if (!session) return Response.json({ error: "Unauthorized" }, { status: 401 });
  const { id } = await request.json();
  await prisma.product.delete({ where: { id } });
  return Response.json({ done: true });
}
```

```prisma good path=prisma/schema.prisma case=shop
model Product {
  id   String @id
  name String
}
```

## When it does not matter

Nobody else asks either, another program proves itself, or the address is made for strangers:

```ts good path=src/app/api/webhooks/stock/route.ts case=machine
import { prisma } from "@/lib/prisma";

export async function POST(request: Request) {
  if (request.headers.get("x-webhook-secret") !== process.env.WEBHOOK_SECRET) {
    return new Response(null, { status: 401 });
  }
  const { id, stock } = await request.json();
  await prisma.product.update({ where: { id }, data: { stock } });
  return new Response(null, { status: 204 });
}
```

```prisma good path=prisma/schema.prisma case=machine
model Product {
  id    String @id
  stock Int
}
```
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.isolation.judged import Binding, EntranceKind
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.statements import Statement
from neondba.project.typescript.verdicts import Door
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_ASKED = (EntranceKind.ROUTE, EntranceKind.ACTION)
_STRANGERS = re.compile(
    r"log_?-?(?:in|out)|sign-?_?(?:in|up|out)|regist|token|refresh|hook|forgot|reset|verif|callback|invit|"
    r"accept|public|share|guest|health|oauth|onboard|internal|cron|subscri|contact|view|track|visit|seed|"
    r"unsubscribe|confirm|newsletter|vote|like|count|analytic|log\b",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"view|count|click|visit|like|download|play|vote", re.IGNORECASE)


@rule("NDB434", Category.ISOLATION, Severity.MEDIUM)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for writes that strangers reach, to tables that others change only for known callers."""
    told = {
        (v.judged.entrance.path, v.judged.entrance.name)
        for v in isolation.verdicts
        if v.judged.binding is Binding.OPEN
    }
    asking = _asking(isolation)
    found: dict[tuple[str, str], list[tuple[Door, Statement]]] = defaultdict(list)
    for door in isolation.doors:
        entrance = door.entrance
        if (entrance.path, entrance.name) in told or not _is_open(door):
            continue
        for statement in _writes(door):
            others = asking.get(statement.table_name, set())
            if others - {(entrance.path, entrance.name)}:
                found[entrance.path, statement.table_name].append((door, statement))
                break
    for (_, table), several in found.items():
        yield _finding(several, table)


def _asking(isolation: TypeScriptIsolation) -> dict[str, set[tuple[str, str]]]:
    """Give the entrances that write a table and know their caller, by table."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for door in isolation.doors:
        if door.known and not door.strangers and not (door.machine or door.run.machine):
            for statement in door.run.statements.values():
                if statement.kind in ("insert", "update", "delete") and not statement.quiet:
                    found[statement.table_name].add((door.entrance.path, door.entrance.name))
    return found


def _is_open(door: Door) -> bool:
    run = door.run
    return not (
        door.entrance.kind not in _ASKED
        or door.known
        or door.staff
        or door.machine
        or run.machine
        or run.login
        or run.policy
        or run.tired
        or run.staff
        or run.refused
        or _STRANGERS.search(f"{door.entrance.name} {door.entrance.path}")
    )


def _writes(door: Door) -> Iterator[Statement]:
    """Give the changes to rows that nobody owns; the other rules look after those with an owner."""
    for statement in door.run.statements.values():
        table = statement.table
        if statement.quiet or table is None or table.is_owned or table.people or not statement.is_write:
            continue
        counts = statement.data and all(_COUNTS.search(column) for column, _ in statement.data)
        if not (statement.by_policy or statement.by_client or statement.staff or counts):
            yield statement


def _finding(several: list[tuple[Door, Statement]], table: str) -> Finding:
    door, statement = min(several, key=lambda pair: pair[1].line)
    more = len(several) - 1
    others = f", and {more} more like it" if more else ""
    verb = "delete" if statement.kind == "delete" else "change"
    return Finding(
        statement.path,
        statement.line,
        f"Anybody on the internet can {verb} {table} rows through {door.entrance.name}{others}: nothing "
        "on the way asks who is calling, as others do that write there.",
        ("Ask for the session first, and answer 401 without one.", "Ask for the role, where not all may."),
        'const session = await auth();\nif (!session?.user) throw new Error("Unauthorized");',
    )
