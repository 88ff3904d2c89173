"""A row is reached by an id from the client, and nobody asks whose it is.

The caller is known, but neither the `where` names them nor does the code compare the row with them before
it is used. Ids stand in addresses, answers and logs; any signed-in user reads, changes or deletes the rows
of every other one.

## Instead

Name the owner in the `where` itself:

```prisma bad path=prisma/schema.prisma case=route
model User {
  id    String @id
  tasks Task[]
}
model Task {
  id     String @id
  title  String
  userId String
  user   User   @relation(fields: [userId], references: [id])
}
```
```ts bad path=src/app/api/tasks/[id]/route.ts case=route
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function DELETE(request: Request, { params }: { params: Promise<{ id: string }> }) {
  const session = await auth();
  if (!session) return new Response("Unauthorized", { status: 401 });
  const { id } = await params;
  await prisma.task.delete({ where: { id } });  // <- finding
  return new Response(null, { status: 204 });
}
```

```prisma good path=prisma/schema.prisma case=route
model User {
  id    String @id
  tasks Task[]
}
model Task {
  id     String @id
  title  String
  userId String
  user   User   @relation(fields: [userId], references: [id])
}
```
```ts good path=src/app/api/tasks/[id]/route.ts case=route
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function DELETE(request: Request, { params }: { params: Promise<{ id: string }> }) {
  const session = await auth();
  if (!session) return new Response("Unauthorized", { status: 401 });
  const { id } = await params;
  await prisma.task.deleteMany({ where: { id, userId: session.user.id } });
  return new Response(null, { status: 204 });
}
```

Drizzle, through a service in another file and a middleware that only says who is calling:

```ts bad path=src/schema.ts case=drizzle
import { integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
export const projects = pgTable("projects", {
  id: uuid("id").primaryKey(),
  userId: text("user_id").notNull(),
});
export const tasks = pgTable("tasks", {
  id: uuid("id").primaryKey(),
  title: text("title").notNull(),
  projectId: uuid("project_id").notNull().references(() => projects.id),
});
```
```ts bad path=src/services/tasks.ts case=drizzle
import { eq } from "drizzle-orm";
import { db } from "../db";
import { tasks } from "../schema";

export async function rename(id: string, title: string) {
  return db.update(tasks).set({ title }).where(eq(tasks.id, id));  // <- finding
}
```
```ts bad path=src/routes/tasks.ts case=drizzle
import { Router } from "express";
import { requireAuth } from "../middleware/auth";
import { rename } from "../services/tasks";

const router = Router();
router.use(requireAuth);
router.patch("/:id", async (req, res) => {
  res.json(await rename(req.params.id, req.body.title));
});
export default router;
```

```ts good path=src/schema.ts case=drizzle
import { integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
export const projects = pgTable("projects", {
  id: uuid("id").primaryKey(),
  userId: text("user_id").notNull(),
});
export const tasks = pgTable("tasks", {
  id: uuid("id").primaryKey(),
  title: text("title").notNull(),
  projectId: uuid("project_id").notNull().references(() => projects.id),
});
```
```ts good path=src/services/tasks.ts case=drizzle
import { and, eq } from "drizzle-orm";
import { db } from "../db";
import { projects, tasks } from "../schema";

export async function rename(id: string, title: string, userId: string) {
  const task = await db.query.tasks.findFirst({ where: eq(tasks.id, id), with: { project: true } });
  if (!task || task.project.userId !== userId) throw new Error("Not found");
  return db.update(tasks).set({ title }).where(eq(tasks.id, id));
}
```
```ts good path=src/routes/tasks.ts case=drizzle
import { Router } from "express";
import { requireAuth } from "../middleware/auth";
import { rename } from "../services/tasks";

const router = Router();
router.use(requireAuth);
router.patch("/:id", async (req, res) => {
  res.json(await rename(req.params.id, req.body.title, req.user.id));
});
export default router;
```

## When it does not matter

The parent was checked, a helper compares and throws, only staff get there, or the row is made to be read:

```prisma good path=prisma/schema.prisma case=checked
model User {
  id String @id
}
model Project {
  id      String @id
  ownerId String
  owner   User   @relation(fields: [ownerId], references: [id])
}
model Task {
  id        String  @id
  projectId String
  project   Project @relation(fields: [projectId], references: [id])
}
```
```ts good path=src/lib/access.ts case=checked
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function projectOfCaller(id: string) {
  const session = await auth();
  const project = await prisma.project.findUnique({ where: { id } });
  if (!project || project.ownerId !== session?.user?.id) throw new Error("Not found");
  return project;
}
```
```ts good path=src/actions/tasks.ts case=checked
"use server";
import { projectOfCaller } from "@/lib/access";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function tasksOf(projectId: string) {
  const project = await projectOfCaller(projectId);
  return prisma.task.findMany({ where: { projectId: project.id } });
}

export async function removeAny(id: string) {
  const session = await auth();
  if (session?.user?.role !== "ADMIN") throw new Error("Forbidden");
  await prisma.task.delete({ where: { id } });
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import (
    VERBS,
    believes_owner,
    caller_of,
    claim_of,
    guarded_tables,
    name_of,
    open_ones,
    severity_of,
    way_of,
)  # fmt: skip


@rule("NDB420", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for rows of known callers' requests that are picked by the client's id alone."""
    guarded = guarded_tables(isolation)
    for verdict in open_ones(isolation, "row"):
        if verdict.entrance.known and not believes_owner(verdict):
            yield _finding(verdict, severity_of(verdict, guarded))


def _finding(verdict: Verdict, severity: Severity) -> Finding:
    judged, claim = verdict.judged, claim_of(verdict)
    rows = f"{judged.table} rows"
    return Finding(
        judged.path,
        judged.line,
        f"Any signed-in user can {VERBS[judged.kind]} other people's {rows} through {name_of(verdict)}: "
        f"the row is "
        f"picked by {claim} alone, and its {judged.owner} is never compared with the caller.",
        steps=(
            f"Add the owner to the condition: {judged.owner} must be the caller's.",
            "Answer 404 when no row is left, so that nobody learns which ids exist.",
        ),
        snippet=_snippet(verdict),
        severity=severity,
        way=way_of(verdict),
    )


def _snippet(verdict: Verdict) -> str:
    table, column = verdict.statement.table, verdict.column or "id"
    assert table is not None
    *parents, owner = table.owner.split(".")
    caller = caller_of(verdict)
    if table.table.source == "drizzle" and not parents:
        return f"and(eq({table.name}.{column}, {column}), eq({table.name}.{owner}, {caller}))"
    inner = f"{owner}: {caller}"
    for parent in reversed(parents):
        inner = f"{parent.removesuffix('_id').removesuffix('Id')}: {{ {inner} }}"
    return f"where: {{ {column}, {inner} }}"
