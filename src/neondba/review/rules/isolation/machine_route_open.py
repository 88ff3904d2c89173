"""A webhook, timer or seed route writes rows for whoever calls it.

The address is meant for another program or for development, but nothing in it asks for a signature or a
secret, and the production build has it like every other route. Who finds it makes orders, accounts and
payments of their own.

## Instead
```prisma bad path=prisma/schema.prisma case=pay
model User {
  id    String @id
  email String @unique
}
model Order {
  id     String @id
  status String
  userId String
  user   User   @relation(fields: [userId], references: [id])
}
```
```typescript bad path=src/app/api/webhooks/pay/route.ts case=pay
import { prisma } from "@/lib/prisma";

export async function POST(req: Request) { // <- finding
  const event = await req.json();
  await prisma.order.update({ where: { id: event.orderId }, data: { status: "PAID" } });
  return Response.json({ ok: true });
}
```
```prisma good path=prisma/schema.prisma case=pay
model User {
  id    String @id
  email String @unique
}
model Order {
  id     String @id
  status String
  userId String
  user   User   @relation(fields: [userId], references: [id])
}
```
```typescript good path=src/app/api/webhooks/pay/route.ts case=pay
import { prisma } from "@/lib/prisma";
import { stripe } from "@/lib/stripe";

export async function POST(req: Request) {
  const signature = req.headers.get("stripe-signature") ?? "";
  const secret = process.env.STRIPE_WEBHOOK_SECRET!;
  const event = stripe.webhooks.constructEvent(await req.text(), signature, secret);
  await prisma.order.update({ where: { id: event.data.object.metadata.orderId }, data: { status: "PAID" } });
  return Response.json({ ok: true });
}
```
## When it does not matter
A timer's route that asks for its secret, and one that only development has:
```prisma good path=prisma/schema.prisma case=development
model User {
  id    String @id
  email String @unique
}
```
```typescript good path=src/app/api/seed/route.ts case=development
import { prisma } from "@/lib/prisma";

export async function POST(req: Request) {
  if (process.env.NODE_ENV === "production") return new Response(null, { status: 404 });
  const { email } = await req.json();
  await prisma.user.create({ data: { email } });
  return Response.json({ ok: true });
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import name_of, way_of

PLACE = re.compile(
    r"webhook|/cron(?:/|$)|/seed(?:/|$)|/setup(?:/|$)|/migrate(?:/|$)|/hooks?/|/internal/", re.IGNORECASE
)
PROOF = re.compile(
    r"signature|secret|verif|hmac|-token|bearer|authorization|api[-_]?key|NODE_ENV|svix|auth\(|session|isDev",
    re.IGNORECASE,
)
"""Words of a file that looks at who is calling, whatever way."""


@rule("NDB432", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation, files: TypeScriptFiles) -> Iterator[Finding]:
    """Find writes behind such an address that no check stands before."""
    told: set[str] = set()
    for verdict in isolation.verdicts:
        entrance, door = verdict.judged.entrance, verdict.entrance
        if entrance.kind is not EntranceKind.ROUTE or entrance.path in told:
            continue
        if door.known or door.run.machine or door.staff or verdict.judged.kind in ("get", "select"):
            continue
        place = f"{entrance.name} /{entrance.path}"
        if PLACE.search(place) and not any(PROOF.search(files.text(p)) for p in _files(verdict)):
            told.add(entrance.path)
            yield _finding(verdict)


def _files(verdict: Verdict) -> set[str]:
    """Give the files that a request passes."""
    return {verdict.judged.entrance.path, verdict.judged.path, *(s.path for s in verdict.judged.way)}


def _finding(verdict: Verdict) -> Finding:
    judged = verdict.judged
    return Finding(
        judged.entrance.path,
        judged.entrance.line,
        f"Anybody who finds {name_of(verdict)} writes {judged.table} rows: nothing asks for a signature or a "
        "secret.",
        steps=(
            "Verify the sender's signature over the raw body, or compare a secret header.",
            "Leave routes that only fill a database for trying out of the production build.",
        ),
        snippet='if (process.env.NODE_ENV === "production") return new Response(null, { status: 404 });',
        way=way_of(verdict),
    )
