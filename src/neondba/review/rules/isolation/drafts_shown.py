"""Strangers read drafts.

The table says by a column which rows are ready to be shown, but a public route reads without asking for it:
drafts and rejected entries are listed beside what was published, and can be opened by their id.

## Instead
```prisma bad path=prisma/schema.prisma case=list
enum PostStatus {
  DRAFT
  PUBLISHED
}
model User {
  id String @id
}
model Post {
  id       String     @id
  title    String
  status   PostStatus @default(DRAFT)
  authorId String
  author   User       @relation(fields: [authorId], references: [id])
}
```
```typescript bad path=src/post.routes.ts case=list
import { Router } from "express";
import { prisma } from "./prisma";

const router = Router();
router.get("/posts", async (req, res) => {
  res.json(await prisma.post.findMany({ take: 20, orderBy: { id: "desc" } })); // <- finding
});
export default router;
```
```prisma good path=prisma/schema.prisma case=list
enum PostStatus {
  DRAFT
  PUBLISHED
}
model User {
  id String @id
}
model Post {
  id       String     @id
  title    String
  status   PostStatus @default(DRAFT)
  authorId String
  author   User       @relation(fields: [authorId], references: [id])
}
```
```typescript good path=src/post.routes.ts case=list
import { Router } from "express";
import { prisma } from "./prisma";

const router = Router();
router.get("/posts", async (req, res) => {
  res.json(await prisma.post.findMany({ where: { status: "PUBLISHED" }, take: 20 }));
});
export default router;
```
## When it does not matter
The author's own list, and tables without drafts:
```prisma good path=prisma/schema.prisma case=own
enum OrderStatus {
  OPEN
  DONE
}
model User {
  id String @id
}
model Review {
  id     String      @id
  status OrderStatus
  userId String
}
```
```typescript good path=src/review.routes.ts case=own
import { Router } from "express";
import { prisma } from "./prisma";

const router = Router();
router.get("/reviews", async (req, res) => {
  res.json(await prisma.review.findMany({ take: 20 }));
});
export default router;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.schema_table import Column
from neondba.project.tree import Tree
from neondba.project.typescript.isolation import TypeScriptIsolation
from neondba.project.typescript.owned import folded
from neondba.project.typescript.verdicts import READS, Verdict
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.isolation._typescript import name_of, way_of

STATE = re.compile(r"^(status|state|visibility|poststatus|articlestatus)$")
SHOWN = re.compile(r"^(is)?(published|draft)$|^publishedat$")
DRAFT = re.compile(
    r"enum\s+\w*(?:[Ss]tatus|[Ss]tate|[Vv]isibility)\w*\s*\{[^}]*\bdraft\b|[\"']draft[\"']", re.IGNORECASE
)


@rule("NDB433", Category.ISOLATION, Severity.MEDIUM)
def check(isolation: TypeScriptIsolation, tree: Tree) -> Iterator[Finding]:
    """Look for reads by strangers that do not ask whether a row is ready to be shown."""
    places: dict[tuple[str, str], dict[str, tuple[Verdict, str]]] = {}
    for verdict in isolation.verdicts:
        judged, statement, door = verdict.judged, verdict.statement, verdict.entrance
        if judged.kind not in ("get", "select") or door.known or door.staff or statement.amount:
            continue
        if door.machine or door.run.machine:
            continue
        if any(s.kind not in READS for s in door.run.statements.values()):
            continue  # What is read there is for the write, not for the visitor.
        column = _column(verdict, tree)
        if column and not _asks(verdict, column):
            # One file that does not ask is one decision, however many functions read in it.
            of_table = places.setdefault((judged.path, judged.table), {})
            of_table.setdefault(statement.function, (verdict, column))
    for of_table in places.values():
        (verdict, column), *more = of_table.values()
        also = tuple((v.judged.path, v.judged.line) for v, _ in more)
        yield _finding(verdict, column, also)


def _column(verdict: Verdict, tree: Tree) -> str:
    """Give the column that says whether a row is ready; empty where nothing tells of drafts."""
    table = verdict.statement.table
    if table is None or table.people or not table.read_by_all:
        return ""
    columns: list[Column] = list(table.table.columns.values())
    for column in columns:
        name = column.field or column.name
        dated = folded(name) == "publishedat" and (column.default is not None or not column.nullable)
        if SHOWN.match(folded(name)) and not dated:
            return name
    state = next((c for c in columns if STATE.match(folded(c.field or c.name))), None)
    if state is None:
        return ""
    places = [p for p in tree.paths if p.endswith(".prisma")] or [table.table.path]
    drafts = any(DRAFT.search(tree.text(p) or "") for p in places)
    return (state.field or state.name) if drafts else ""


def _asks(verdict: Verdict, column: str) -> bool:
    """Tell whether the condition may hold the column, or is one that could not be read."""
    where = verdict.statement.where
    named = {folded(c) for c, _ in where}
    if folded(column) in named or any(SHOWN.match(n) or STATE.match(n) for n in named):
        return True
    return any(not c and not v.origins for c, v in where) or verdict.statement.compared is not None


def _finding(verdict: Verdict, column: str, also: tuple[tuple[str, int], ...]) -> Finding:
    judged = verdict.judged
    return Finding(
        judged.path,
        judged.line,
        f"Visitors read {judged.table} rows that are not ready through {name_of(verdict)}: nothing asks for "
        f"{column}.",
        steps=(f"Add {column} to the condition of what strangers read.",),
        snippet=f'where: {{ {column}: "PUBLISHED" }}',
        way=way_of(verdict),
        also=also,
    )
