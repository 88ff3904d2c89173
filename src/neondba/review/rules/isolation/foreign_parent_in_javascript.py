"""A row is put under a parent that the client names, and nobody asks whose it is.

The new row has no owner of its own; it belongs to whoever owns its parent. With the id of somebody else's
account, project or list, a signed-in user writes into it.

## Instead

```ts bad path=src/schema.ts case=parent
import { integer, pgTable, text } from "drizzle-orm/pg-core";
export const wallets = pgTable("wallets", { id: text("id").primaryKey(), userId: text("user_id").notNull() });
export const payments = pgTable("payments", {
  id: text("id").primaryKey(),
  amount: integer("amount").notNull(),
  walletId: text("wallet_id").notNull().references(() => wallets.id),
});
```
```ts bad path=src/app/api/payments/route.ts case=parent
import { auth } from "@/auth";
import { db } from "@/db";
import { payments } from "@/schema";

export async function POST(request: Request) {
  const { userId } = await auth();
  if (!userId) return new Response("Unauthorized", { status: 401 });
  const body = await request.json();
  const id = crypto.randomUUID();
  await db.insert(payments).values({ id, amount: body.amount, walletId: body.walletId });  // <- finding
  return new Response(null, { status: 201 });
}
```

```ts good path=src/schema.ts case=parent
import { integer, pgTable, text } from "drizzle-orm/pg-core";
export const wallets = pgTable("wallets", { id: text("id").primaryKey(), userId: text("user_id").notNull() });
export const payments = pgTable("payments", {
  id: text("id").primaryKey(),
  amount: integer("amount").notNull(),
  walletId: text("wallet_id").notNull().references(() => wallets.id),
});
```
```ts good path=src/app/api/payments/route.ts case=parent
import { and, eq } from "drizzle-orm";
import { auth } from "@/auth";
import { db } from "@/db";
import { payments, wallets } from "@/schema";

export async function POST(request: Request) {
  const { userId } = await auth();
  if (!userId) return new Response("Unauthorized", { status: 401 });
  const body = await request.json();
  const wallet = await db.query.wallets.findFirst({
    where: and(eq(wallets.id, body.walletId), eq(wallets.userId, userId)),
  });
  if (!wallet) return new Response("Not found", { status: 404 });
  await db.insert(payments).values({ id: crypto.randomUUID(), amount: body.amount, walletId: wallet.id });
  return new Response(null, { status: 201 });
}
```

## When it does not matter

Parents that belong to nobody, such as a category or a product:

```ts good path=src/schema.ts case=open
import { integer, pgTable, text } from "drizzle-orm/pg-core";
export const topics = pgTable("topics", { id: text("id").primaryKey() });
export const votes = pgTable("votes", {
  id: text("id").primaryKey(),
  topicId: text("topic_id").notNull().references(() => topics.id),
});
```
```ts good path=src/app/api/votes/route.ts case=open
import { auth } from "@/auth";
import { db } from "@/db";
import { votes } from "@/schema";

export async function POST(request: Request) {
  const { userId } = await auth();
  if (!userId) return new Response("Unauthorized", { status: 401 });
  const body = await request.json();
  await db.insert(votes).values({ id: crypto.randomUUID(), topicId: body.topicId });
  return new Response(null, { status: 201 });
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.owned import folded
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import (
    caller_of,
    claim_of,
    guarded_tables,
    name_of,
    open_ones,
    way_of,
)  # fmt: skip


@rule("NDB423", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for rows without an owner of their own whose parent only the client vouches for."""
    guarded = guarded_tables(isolation)
    for verdict in open_ones(isolation, "relative"):
        yield _tied(verdict)
    for verdict in open_ones(isolation, "parent"):
        judged, table = verdict.judged, verdict.statement.table
        assert table is not None
        parent = table.parent_name or judged.owner.partition(".")[0]
        verb = "add" if judged.kind == "insert" else "move"
        yield Finding(
            judged.path,
            judged.line,
            f"Any signed-in user can {verb} {judged.table} rows under another user's {parent} through "
            f"{name_of(verdict)}: {verdict.column} comes from {claim_of(verdict)}, and nobody asks "
            f"whose {parent} that "
            "is.",
            steps=(
                f"Read the {parent} first, with the caller in its condition, and answer 404 when there "
                f"is none.",
                f"Take {verdict.column} from that row.",
            ),
            snippet=f"where: {{ id: {verdict.column}, {judged.owner.rpartition('.')[2]}: "
            f"{caller_of(verdict)} }}",
            severity=Severity.HIGH if parent in guarded or judged.table in guarded else Severity.MEDIUM,
            way=way_of(verdict),
        )


def _tied(verdict: Verdict) -> Finding:
    """Say that the caller's own row can be tied to a row of somebody else's."""
    judged, table = verdict.judged, verdict.statement.table
    assert table is not None
    other = table.relatives.get(folded(verdict.column), "row")
    return Finding(
        judged.path,
        judged.line,
        f"Any signed-in user can tie {judged.table} rows to another user's {other} through "
        f"{name_of(verdict)}: {verdict.column} comes from {claim_of(verdict)}, and nobody asks whose "
        f"{other} that is.",
        steps=(
            f"Read the {other} first, with the caller in its condition, and answer 404 when there is none.",
            f"Take {verdict.column} from that row.",
        ),
        snippet=f"where: {{ id: {verdict.column}, {judged.owner.rpartition('.')[2]}: {caller_of(verdict)} }}",
        severity=Severity.MEDIUM,
        way=way_of(verdict),
    )
