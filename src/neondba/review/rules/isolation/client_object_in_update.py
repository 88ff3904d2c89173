"""A whole object from the client is written into a row.

Every column that the client names is changed, the owner included: a row can be given to somebody else, or
be put where others see it. Types do not help; they are gone when the request arrives.

## Instead

```prisma bad path=prisma/schema.prisma case=spread
model User {
  id String @id
}
model Task {
  id     String @id
  title  String
  userId String
}
```
```ts bad path=src/actions/tasks.ts case=spread
"use server";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function edit(id: string, values: { title: string }) {
  const session = await auth();
  await prisma.task.update({ where: { id, userId: session.user.id }, data: { ...values } });  // <- finding
}
```

```prisma good path=prisma/schema.prisma case=spread
model User {
  id String @id
}
model Task {
  id     String @id
  title  String
  userId String
}
```
```ts good path=src/actions/tasks.ts case=spread
"use server";
import { z } from "zod";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

const Task = z.object({ title: z.string() });

export async function edit(id: string, values: unknown) {
  const session = await auth();
  await prisma.task.update({ where: { id, userId: session.user.id }, data: Task.parse(values) });
}
```

## When it does not matter

The columns are named one by one. Users' own rows have a rule of their own, client-sent roles included:

```prisma good path=prisma/schema.prisma case=named
model User {
  id String @id
}
model Task {
  id     String @id
  title  String
  userId String
}
```
```ts good path=src/actions/tasks.ts case=named
"use server";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function edit(id: string, values: { title: string }) {
  const session = await auth();
  await prisma.task.update({ where: { id, userId: session.user.id }, data: { title: values.title } });
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import (
    claim_of,
    line_of_data,
    name_of,
    open_ones,
    way_of,
)  # fmt: skip


@rule("NDB424", Category.ISOLATION, Severity.MEDIUM)
def check(isolation: TypeScriptIsolation, files: TypeScriptFiles) -> Iterator[Finding]:
    """Look for updates that write whatever the client sent."""
    for verdict in open_ones(isolation, "spread"):
        judged, table = verdict.judged, verdict.statement.table
        if table is None or table.people:
            continue
        owner = judged.owner.partition(".")[0]
        yield Finding(
            judged.path,
            line_of_data(files, verdict),
            f"Whoever calls {name_of(verdict)} sets any column of the {judged.table} row, its {owner} "
            f"included: {claim_of(verdict)} is written as the client sent it.",
            steps=(
                "Name the columns that may be changed, one by one.",
                "Or parse the object with a schema that holds only those.",
            ),
            snippet="data: { name: values.name }",
            way=way_of(verdict),
        )
