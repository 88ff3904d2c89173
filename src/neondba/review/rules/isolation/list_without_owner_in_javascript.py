"""All rows of a table are handed out, whosever they are.

The table has an owner column and other parts of the project filter by it; this list does not.

## Instead

```prisma bad path=prisma/schema.prisma case=list
model User {
  id String @id
}
model Invoice {
  id     String @id
  total  Int
  userId String
}
```
```ts bad path=src/app/api/invoices/route.ts case=list
import { getServerSession } from "next-auth";
import { prisma } from "@/lib/prisma";

export async function GET() {
  const session = await getServerSession();
  if (!session) return new Response("Unauthorized", { status: 401 });
  return Response.json(await prisma.invoice.findMany());  // <- finding
}
```
```ts bad path=src/app/invoices/page.tsx case=list
import { getServerSession } from "next-auth";
import { prisma } from "@/lib/prisma";

export default async function Page() {
  const session = await getServerSession();
  const invoices = await prisma.invoice.findMany({ where: { userId: session.user.id } });
  return <ul>{invoices.map((invoice) => <li key={invoice.id}>{invoice.total}</li>)}</ul>;
}
```

```prisma good path=prisma/schema.prisma case=list
model User {
  id String @id
}
model Invoice {
  id     String @id
  total  Int
  userId String
}
```
```ts good path=src/app/api/invoices/route.ts case=list
import { getServerSession } from "next-auth";
import { prisma } from "@/lib/prisma";

export async function GET() {
  const session = await getServerSession();
  if (!session) return new Response("Unauthorized", { status: 401 });
  return Response.json(await prisma.invoice.findMany({ where: { userId: session.user.id } }));
}
```

## When it does not matter

Administrators, counts, and what is made to be read by everyone:

```prisma good path=prisma/schema.prisma case=public
model User {
  id String @id
}
model Post {
  id        String  @id
  published Boolean
  userId    String
}
```
```ts good path=src/app/page.tsx case=public
import { prisma } from "@/lib/prisma";

export default async function Page() {
  const posts = await prisma.post.findMany();
  return <ul>{posts.map((post) => <li key={post.id} />)}</ul>;
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import caller_of, guarded_tables, name_of, open_ones, way_of


@rule("NDB421", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for statements on all rows of a private table, where others are bound."""
    guarded = guarded_tables(isolation)
    for verdict in open_ones(isolation, "list"):
        judged, table = verdict.judged, verdict.statement.table
        if table is None or not table.private or judged.table not in guarded:
            continue
        who = "Every signed-in user gets" if verdict.entrance.known else "Anybody gets"
        yield Finding(
            judged.path,
            judged.line,
            f"{who} the {judged.table} rows of all others from {name_of(verdict)}: nothing narrows the "
            f"statement to "
            f"the caller's {judged.owner}.",
            steps=(
                f"Filter by {judged.owner}, as other parts of the project do.",
                "If all rows are meant for staff, check the role first.",
            ),
            snippet=f"where: {{ {judged.owner.rpartition('.')[2]}: {caller_of(verdict)} }}",
            severity=Severity.HIGH if verdict.entrance.known else Severity.MEDIUM,
            way=way_of(verdict),
        )
