"""A webhook fails when its event is delivered a second time.

Senders repeat an event until they get a 2xx, also when only the answer was lost or something after the insert
failed. The row is there by then: the insert breaks on its key, the answer is 500 again, and so is that
of every further try, until the sender gives up.

## Instead
```typescript bad path=src/app/api/webhooks/route.ts case=insert
import { pgTable, text } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: text("id").primaryKey(), email: text("email") });

export async function POST(request: Request) {
  const event = verify(await request.text());
  await db.insert(users).values({ id: event.data.id, email: event.data.email }); // <- finding
  return new Response(null, { status: 204 });
}
```
```typescript good path=src/app/api/webhooks/route.ts case=insert
import { pgTable, text } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: text("id").primaryKey(), email: text("email") });

export async function POST(request: Request) {
  const event = verify(await request.text());
  await db.insert(users).values({ id: event.data.id, email: event.data.email }).onConflictDoNothing();
  return new Response(null, { status: 204 });
}
```
## When it does not matter
The row is looked for first, the error of a double key is expected, or the key is made here:
```typescript good path=src/app/api/webhooks/route.ts case=expected
import { pgTable, text } from "drizzle-orm/pg-core";

export const users = pgTable("users", { id: text("id").primaryKey(), email: text("email") });
export const events = pgTable("events", { id: text("id").primaryKey(), body: text("body") });

export async function POST(request: Request) {
  const event = verify(await request.text());
  const [known] = await db.select().from(users).where(eq(users.id, event.data.id));
  if (!known) {
    await db.insert(users).values({ id: event.data.id });
  }
  await db.insert(events).values({ body: event.body });
  return new Response(null, { status: 204 });
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use
from neondba.project.typescript.nodes import Call, Function, Member, Name, Text, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

WEBHOOK = re.compile(r"web_?-?hook", re.IGNORECASE)
EXPECTED = frozenset({"P2002", "23505"})


@rule("NDB915", Category.PRODUCTION, Severity.MEDIUM)
def check(calls: OrmCalls) -> Iterator[Finding]:
    """Find inserts with a key of the event in webhooks, without a word on conflicts."""
    for file in calls.running(".create(", ".insert("):
        told: set[int] = set()
        for function, uses in calls.functions(file):
            if not (WEBHOOK.search(file.path) or WEBHOOK.search(function.name)) or _expects(function):
                continue
            looked = {u.table.name.key for u in uses if u.kind in ("read", "list", "upsert")}
            for use in uses:
                key = _key(use) if use.kind == "create" and use.table.name.key not in looked else None
                if key and use.line not in told:
                    told.add(use.line)
                    yield Finding(
                        file.path,
                        use.line,
                        f"When the sender repeats an event, the insert into {use.table.title} breaks on its "
                        f"{key}, and every further try is answered with an error.",
                        steps=("Say what a row that is there already means: do nothing, or update it.",),
                        snippet="upsert({ where, create, update })" if use.tool == "prisma"
                        else ".onConflictDoNothing()",
                    )  # fmt: skip


def _expects(function: Function) -> bool:
    return any(isinstance(n, Text) and n.value in EXPECTED for n in walk(function.body))


def _key(use: Use) -> str | None:
    """Give a unique column that is filled from the event; nothing where conflicts are settled."""
    if use.data is None or any(name.startswith("onConflict") for name, _ in use.links):
        return None
    alone = {i.columns[0] for i in use.table.all_indexes if i.unique and len(i.columns) == 1}
    for one in use.data.properties:
        column = use.table.named(one.key)
        if column is not None and column.name in alone and isinstance(one.value, Name | Member):
            return one.key
        if (
            column is not None
            and column.name in alone
            and isinstance(one.value, Call)
            and one.value.arguments
        ):
            return None
    return None
