"""A handler reaches private rows by an id and never asks who is calling.

Neither the function, nor what it calls, nor a middleware before it knows the caller, while other parts of
the project bind the same table to its owner. Route handlers and server actions are addresses on the
internet: anybody can call them without the page they were written for.

## Instead

```prisma bad path=prisma/schema.prisma case=action
model User {
  id String @id
}
model Task {
  id     String  @id
  done   Boolean
  userId String
}
```
```ts bad path=src/actions/tasks.ts case=action
"use server";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function finish(id: string) {
  const session = await auth();
  await prisma.task.updateMany({ where: { id, userId: session.user.id }, data: { done: true } });
}

export async function remove(id: string) {
  await prisma.task.delete({ where: { id } });  // <- finding
}
```

```prisma good path=prisma/schema.prisma case=action
model User {
  id String @id
}
model Task {
  id     String  @id
  done   Boolean
  userId String
}
```
```ts good path=src/actions/tasks.ts case=action
"use server";
import { auth } from "@/auth";
import { prisma } from "@/lib/prisma";

export async function finish(id: string) {
  const session = await auth();
  await prisma.task.updateMany({ where: { id, userId: session.user.id }, data: { done: true } });
}

export async function remove(id: string) {
  const session = await auth();
  await prisma.task.deleteMany({ where: { id, userId: session.user.id } });
}
```

## When it does not matter

Other programs that prove themselves, and rows that only somebody with a token can name:

```prisma good path=prisma/schema.prisma case=machine
model User {
  id String @id
}
model Task {
  id         String @id
  shareToken String @unique
  userId     String
}
```
```ts good path=src/app/api/cron/tasks/route.ts case=machine
import { prisma } from "@/lib/prisma";

export async function POST(request: Request) {
  if (request.headers.get("authorization") !== `Bearer ${process.env.CRON_SECRET}`) {
    return new Response("Unauthorized", { status: 401 });
  }
  const { id } = await request.json();
  await prisma.task.delete({ where: { id } });
  return new Response(null, { status: 204 });
}
```
```ts good path=src/app/shared/[token]/page.tsx case=machine
import { prisma } from "@/lib/prisma";

export default async function Page({ params }: { params: { token: string } }) {
  const task = await prisma.task.findUnique({ where: { shareToken: params.token } });
  return <p>{task?.id}</p>;
}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from neondba.project.isolation.judged import EntranceKind
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.verdicts import Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import (
    CHANGES,
    VERBS,
    believes_owner,
    claim_of,
    for_strangers,
    guarded_tables,
    name_of,
    open_ones,
    way_of,
)  # fmt: skip

ASKED = (EntranceKind.ROUTE, EntranceKind.ACTION)


@rule("NDB422", Category.ISOLATION, Severity.HIGH)
def check(isolation: TypeScriptIsolation) -> Iterator[Finding]:
    """Look for handlers that know no caller on tables that others bind to one."""
    doors: dict[tuple[str, str], list[Finding]] = {}
    first = _first_reads(isolation)
    for verdict, severity in _strangers(isolation):
        entrance = verdict.judged.entrance
        found = _finding(verdict, severity)
        if verdict.judged.kind not in CHANGES:
            found = replace(found, line=first.get(_place(verdict), found.line))
        doors.setdefault((entrance.path, entrance.name), []).append(found)
    for findings in doors.values():
        yield min(findings, key=lambda f: (f.severity or Severity.HIGH).rank)


def _place(verdict: Verdict) -> tuple[str, str, str, str]:
    judged = verdict.judged
    return judged.entrance.path, judged.entrance.name, judged.path, verdict.statement.function


def _first_reads(isolation: TypeScriptIsolation) -> dict[tuple[str, str, str, str], int]:
    """Give the first read that nothing binds, by entrance and function: the session is missing before it."""
    found: dict[tuple[str, str, str, str], int] = {}
    for verdict in isolation.verdicts:
        table, line = verdict.statement.table, verdict.judged.line
        if verdict.fault == "row" and table is not None and table.private:
            found[_place(verdict)] = min(line, found.get(_place(verdict), line))
    return found


def _strangers(isolation: TypeScriptIsolation) -> Iterator[tuple[Verdict, Severity]]:
    """Give the statements that a stranger reaches, and how sure it is that they should not."""
    guarded = guarded_tables(isolation)
    visited = for_strangers(isolation)
    for verdict in open_ones(isolation, "row"):
        judged, table = verdict.judged, verdict.statement.table
        if (
            verdict.entrance.known
            or judged.entrance.kind not in ASKED
            or believes_owner(verdict)
            or table is None
        ):
            continue
        visitors = (judged.entrance.path, judged.entrance.name) in visited
        if judged.kind not in CHANGES and visitors:
            continue
        if table.private and judged.table in guarded:
            sure = judged.kind in CHANGES and not visitors
            yield verdict, Severity.HIGH if sure else Severity.MEDIUM
        elif judged.kind in CHANGES and (table.private or table.people or judged.table in guarded):
            yield verdict, Severity.MEDIUM


def _finding(verdict: Verdict, severity: Severity) -> Finding:
    judged = verdict.judged
    return Finding(
        judged.path,
        judged.line,
        f"Anybody on the internet can {VERBS[judged.kind]} any {judged.table} row through "
        f"{name_of(verdict)}: nothing "
        f"on the way asks who is calling, and {claim_of(verdict)} picks the row.",
        steps=(
            "Ask for the session first, and answer 401 without one.",
            f"Add the caller to the condition: {judged.owner} must be theirs.",
        ),
        snippet='const session = await auth();\nif (!session?.user?.id) throw new Error("Unauthorized");',
        severity=severity,
        way=way_of(verdict),
    )
