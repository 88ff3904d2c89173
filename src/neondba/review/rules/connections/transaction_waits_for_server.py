"""A transaction waits for a model or another server.

An interactive transaction holds its connection, and its locks, until the callback returns. Prisma gives
it five seconds and then rolls everything back with `Transaction already closed`; with other clients the
rows that it changed stay locked, and as many waits as the pool has connections stop the program.

## Instead
```typescript bad path=src/orders.ts case=fetch
import { prisma } from "./db";

export async function pay(id: string) {
  return prisma.$transaction(async (tx) => {
    const order = await tx.order.update({ where: { id }, data: { state: "paying" } });
    const answer = await fetch("https://pay.io", { method: "POST", body: order.id });  // <- finding
    return tx.order.update({ where: { id }, data: { state: answer.ok ? "paid" : "open" } });
  });
}
```
```typescript good path=src/orders.ts case=fetch
import { prisma } from "./db";

export async function pay(id: string) {
  const order = await prisma.order.update({ where: { id }, data: { state: "paying" } });
  const answer = await fetch("https://pay.shop-orders.io", { method: "POST", body: order.id });
  return prisma.order.update({ where: { id }, data: { state: answer.ok ? "paid" : "open" } });
}
```
```typescript bad path=src/summary.ts case=model
import OpenAI from "openai";
import { db } from "./db";

const openai = new OpenAI();

export const summarise = (id: number) =>
  db.transaction(async (tx) => {
    const rows = await tx.query.notes.findMany();
    const said = await openai.chat.completions.create({ model: "m", messages: ask(rows) });  // <- finding
    await tx.insert(summaries).values({ id, text: said.choices[0].message.content });
  });
```
## When it does not matter
Calls before or after, lists of statements, and what is only started and not awaited:
```typescript good path=src/orders.ts case=lists
import { prisma } from "./db";

export async function close(id: string) {
  await fetch("https://pay.shop-orders.io/close");
  await prisma.$transaction([prisma.order.delete({ where: { id } })]);
}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_script
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import Call, Function, walk
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_OUTSIDE = re.compile(
    r"^(?:fetch|axios(?:\.\w+)?|got(?:\.\w+)?|ky(?:\.\w+)?|generateText|generateObject|streamText|embed|embedMany)$|"
    r"(?:chat\.completions|responses|messages|embeddings|images)\.(?:create|generate|parse)$|\.emails\.send$|"
    r"\.sendMail$|^stripe\.\w+(?:\.\w+)*\.(?:create|retrieve|update|cancel|confirm|list)$"
)
_AI = ("generateText", "generateObject", "streamText", "embed", "embedMany")


@rule("NDB220", Category.POOLING, Severity.MEDIUM)
def check(files: TypeScriptFiles) -> Iterator[Finding]:
    """Report the first such wait of each transaction."""
    for file in files.containing("$transaction(", ".transaction(", "$transaction<", ".transaction<"):
        for call in file.calls_of("$transaction", "transaction") if not is_script(file.path) else ():
            callback = call.arguments[0] if call.arguments else None
            if isinstance(callback, Function) and callback.is_async:
                wait = _wait(files, file, callback)
                if wait is not None:
                    yield _finding(file.path, call, wait)


def _wait(files: TypeScriptFiles, file: TypeScriptFile, function: Function, depth: int = 0) -> Call | None:
    """Give the first awaited call that waits for somebody else, itself or in a function of the project."""
    for node in walk(function.body):
        if not isinstance(node, Call) or not node.awaited:
            continue
        if _OUTSIDE.search(node.name) and (node.name not in _AI or files.source_of(file, node.name) == "ai"):
            return node
        found = files.resolve(file, node.name) if "." not in node.name and depth < 3 else None
        if found is not None and isinstance(found.node, Function) and found.node is not function:
            inner = _wait(files, found.file, found.node, depth + 1)
            if inner is not None:
                return node
    return None


def _finding(path: str, transaction: Call, wait: Call) -> Finding:
    prisma = transaction.name.endswith("$transaction")
    then = "and Prisma gives up after five seconds" if prisma else "with the rows that it changed locked"
    return Finding(
        path,
        wait.line,
        f"The transaction that begins in line {transaction.line} keeps its connection while "
        f"{wait.name}() waits for another server, {then}.",
        steps=(
            f"Call {wait.name}() before the transaction, or after it.",
            "Record in a row what has begun, so that a failure in between is seen.",
        ),
        snippet=f"const answer = await {wait.name}(...);  // outside\nawait {transaction.name}(...);",
    )
