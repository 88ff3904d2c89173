"""Two requests at once both find no row and both make it.

A page and the action beside it, or two tabs, ask for the user's row in the same moment. Neither finds it,
both insert it, and the second insert fails on the unique column: the first visit of a new user ends in an
error.

## Instead
```prisma bad path=prisma/schema.prisma case=user
model User {
  id          String @id @default(cuid())
  clerkUserId String @unique
  name        String
}
```
```ts bad path=src/lib/check-user.ts case=user
import { currentUser } from "@clerk/nextjs/server";
import { db } from "./db";

export async function checkUser() {
  const user = await currentUser();
  if (!user) return null;
  const known = await db.user.findUnique({ where: { clerkUserId: user.id } });
  if (known) return known;
  return db.user.create({ data: { clerkUserId: user.id, name: user.fullName } }); // <- finding
}
```
```prisma good path=prisma/schema.prisma case=user
model User {
  id          String @id @default(cuid())
  clerkUserId String @unique
  name        String
}
```
```ts good path=src/lib/check-user.ts case=user
import { currentUser } from "@clerk/nextjs/server";
import { db } from "./db";

export async function checkUser() {
  const user = await currentUser();
  if (!user) return null;
  return db.user.upsert({
    where: { clerkUserId: user.id },
    update: {},
    create: { clerkUserId: user.id, name: user.fullName },
  });
}
```
## When it does not matter
Where the second insert is expected to fail and the row is read again:
```prisma good path=prisma/schema.prisma case=caught
model User {
  id          String @id @default(cuid())
  clerkUserId String @unique
}
```
```ts good path=src/lib/check-user.ts case=caught
import { currentUser } from "@clerk/nextjs/server";
import { db } from "./db";

export async function checkUser() {
  const user = await currentUser();
  if (!user) return null;
  const known = await db.user.findUnique({ where: { clerkUserId: user.id } });
  if (known) return known;
  try {
    return await db.user.create({ data: { clerkUserId: user.id } });
  } catch (error) {
    if (error.code === "P2002") return db.user.findUnique({ where: { clerkUserId: user.id } });
    throw error;
  }
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use
from neondba.project.typescript.nodes import (
    Declare,
    Function,
    If,
    Member,
    Name,
    Node,
    Return,
    Text,
    walk,
)  # fmt: skip
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

EXPECTED = frozenset({"P2002", "23505"})
REPEATED = frozenset({"onConflictDoNothing", "onConflictDoUpdate"})


@rule("NDB940", Category.PRODUCTION, Severity.LOW)
def check(calls: OrmCalls) -> Iterator[Finding]:
    """Find functions that give a row back when it is there, and make it when it is not."""
    for file in calls.running(".create(", ".insert("):
        told: set[int] = set()
        for function, uses in calls.functions(file):
            found = _race(function, uses)
            if found is not None and found.line not in told:
                told.add(found.line)
                yield _finding(file.path, found, function.name or "this function")


def _finding(path: str, made: Use, name: str) -> Finding:
    return Finding(
        path,
        made.line,
        f"Two requests at once both find no {made.table.title} in {name}() and both make one: the second "
        "fails on the unique column.",
        steps=("Insert with upsert, or ON CONFLICT, and take the row that comes back.",),
        snippet="prisma.user.upsert({ where, update: {}, create })",
    )


def _race(function: Function, uses: list[Use]) -> Use | None:
    """Give the insert that a parallel request may have made already."""
    nodes = list(walk(function.body))
    if any(isinstance(n, Text) and n.value in EXPECTED for n in nodes):
        return None
    for made in uses:
        if made.kind != "create" or any(name in REPEATED for name, _ in made.links):
            continue
        for asked in uses:
            if asked.table is not made.table or asked.kind not in ("read", "list") or asked.line >= made.line:
                continue
            if _is_unique(asked) and _gives_back(nodes, asked):
                return made
    return None


def _is_unique(use: Use) -> bool:
    """Tell whether what is asked for can be there once at most."""
    fields = list(use.equals)
    if len(fields) != 1:
        return False
    column = next((c for c in use.table.columns.values() if fields[0] in (c.field, c.name)), None)
    return column is not None and column.unique and not column.primary_key


def _gives_back(nodes: list[Node], asked: Use) -> bool:
    """Tell whether the row that was found is returned."""
    names = {
        name
        for node in nodes
        if isinstance(node, Declare) and node.value is not None and asked.node in list(walk(node.value))
        for name in (n.name for n in walk(node.target) if isinstance(n, Name))
    }
    for node in nodes:
        if not isinstance(node, If) or not names & _names(node.test):
            continue
        for inner in walk(node.then):
            value = inner.value if isinstance(inner, Return) else None
            while isinstance(value, Member):
                value = value.object
            if isinstance(value, Name) and value.name in names:
                return True
    return False


def _names(node: Node) -> set[str]:
    return {n.name for n in walk(node) if isinstance(n, Name)}
