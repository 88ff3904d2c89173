"""A whole object from the client is written into a row.

Every column that the client names is changed: the owner, the role, a flag that only staff may set. Types
do not help; they are gone when the request arrives.

## Instead

```prisma bad path=prisma/schema.prisma case=spread
model User {
  id   String @id
  name String
  role String
}
```
```ts bad path=src/actions/settings.ts case=spread
"use server";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function settings(values: { name: string }) {
  const session = await auth();
  await prisma.user.update({ where: { id: session.user.id }, data: { ...values } });  // <- finding
}
```

```prisma good path=prisma/schema.prisma case=spread
model User {
  id   String @id
  name String
  role String
}
```
```ts good path=src/actions/settings.ts case=spread
"use server";
import { z } from "zod";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

const Settings = z.object({ name: z.string() });

export async function settings(values: unknown) {
  const session = await auth();
  await prisma.user.update({ where: { id: session.user.id }, data: Settings.parse(values) });
}
```

## When it does not matter

The columns are named one by one, or only staff can call it:

```prisma good path=prisma/schema.prisma case=named
model User {
  id   String @id
  name String
  role String
}
```
```ts good path=src/actions/settings.ts case=named
"use server";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function settings(values: { name: string }) {
  const session = await auth();
  await prisma.user.update({ where: { id: session.user.id }, data: { name: values.name } });
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import claim_of, name_of, open_ones, way_of


@rule("NDB424", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for updates that write whatever the client sent."""
    for verdict in open_ones(isolation, "spread"):
        judged, table = verdict.judged, verdict.statement.table
        assert table is not None
        power = next((c for c in table.table.columns if c.lower() in ("role", "is_admin", "isadmin")), "")
        told = f"its {power}" if power else f"its {judged.owner.partition('.')[0]}"
        yield Finding(
            judged.path,
            judged.line,
            f"Whoever calls {name_of(verdict)} sets any column of the {judged.table} row, {told} included: "
            f"{claim_of(verdict)} is written as the client sent it.",
            steps=(
                "Name the columns that may be changed, one by one, or parse the object with a schema "
                "that holds only "
                "those.",
            ),
            snippet="data: { name: values.name }",
            severity=Severity.HIGH if power else Severity.MEDIUM,
            way=way_of(verdict),
        )
