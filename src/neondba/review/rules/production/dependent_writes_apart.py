"""Writes that belong together are committed one by one.

If the process ends between them (a deploy, a timeout, a suspended compute), the first stands and the
second never happened: an order without lines, a company that its founder cannot see. One transaction
does both or neither.

## Instead
```python bad path=app/orders.py case=python
def order(session, data):
    order = Order(**data)
    session.add(order)
    session.commit()
    session.add(Stock(product=order.product))
    session.commit()  # <- finding
```
```python good path=app/orders.py case=python
def order(session, data):
    order = Order(**data)
    session.add(order)
    session.flush()
    session.add(Stock(product=order.product))
    session.commit()
```
```typescript bad path=src/company.ts case=typescript
export async function found(name: string, userId: string) {
  const company = await db.company.create({ data: { name, userId } });  // <- finding
  await db.user.update({ where: { id: userId }, data: { companyId: company.id } });
}
```
```typescript good path=src/company.ts case=typescript
export async function found(name: string, userId: string) {
  await db.$transaction(async (tx) => {
    const company = await tx.company.create({ data: { name, userId } });
    await tx.user.update({ where: { id: userId }, data: { companyId: company.id } });
  });
}
```
## When it does not matter
Writes of which only one happens, progress that is kept on purpose, and scripts:
```python good path=app/jobs.py case=progress
def work(session, jobs):
    for job in jobs:
        job.state = "running"
        session.commit()
        job.run()
        job.state = "done"
        session.commit()

async def answer(session, question, model):
    session.add(question)
    session.commit()
    reply = await model.answer(question.text)
    session.add(reply)
    session.commit()

def save(session, row):
    if row.id:
        session.merge(row)
        session.commit()
        return
    session.add(row)
    session.commit()
```
```typescript good path=src/save.ts case=either
export async function save(id: string) {
  if (await db.user.findUnique({ where: { id } })) {
    return await db.user.update({ where: { id }, data: {} });
  }
  return await db.user.create({ data: { id } });
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import SESSION, apps, is_session_work, method, receiver

_START = re.compile(
    r"^(?:export\s+)?(?:default\s+)?(?:async\s+function|const\s+\w+\s*=\s*async)\b", re.MULTILINE
)
_WRITE = re.compile(
    r"(?:(?:const|let)\s+(?P<result>\w+|\{[^}]*\})\s*=\s*)?await\s+(?P<client>db|prisma|client)\.(?P<model>\w+)\."
    r"(?P<verb>create|update|delete|upsert|createMany|updateMany|deleteMany)\("
)
_APART = re.compile(r"\breturn\b|\belse\b|\bcase\b|\bcatch\b|\bthrow\b|=>\s*\{|\bfor\s*\(")
_SLOW = re.compile(
    r"^(?:run|invoke|generate|complete|request|post|fetch|send|chat|publish|upload|stream)", re.IGNORECASE
)
_COMMIT = frozenset({"commit"})


@rule("NDB906", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Report the second commit in a row, or the first of two Prisma writes."""
    for file in apps(python, ".commit()"):
        for function in file.functions:
            if sum(is_session_work(call, _COMMIT) for call in function.calls) > 1:
                yield from _in_function(file.path, function)
    for path in tree.named(suffix=(".ts", ".tsx", ".js")):
        text = tree.text(path) or ""
        if "await" in text and not is_test(path) and not is_script(path) and "seed" not in path:
            yield from _in_script(path, text)


def _in_function(path: str, function: Function) -> Iterator[Finding]:
    for block in _blocks(function.node.body):
        seen, added = False, False
        for statement in block:
            if seen and _waits_for_others(statement):
                seen = added = False
            call = _call(statement)
            if call is None:
                continue
            added |= method(call) in ("add", "add_all", "delete") and seen
            if is_session_work(call, _COMMIT):
                if seen and added:
                    yield _finding(path, statement.lineno, function.name, f"{receiver(call)}.flush()")
                    return
                seen = True


def _waits_for_others(statement: ast.stmt) -> bool:
    """Tell whether a statement asks another service: no transaction should stay open over that."""
    for node in ast.walk(statement):
        if (
            isinstance(node, ast.Await)
            and isinstance(node.value, ast.Call)
            and not SESSION.search(receiver(node.value))
        ):
            return True
        if isinstance(node, ast.Call) and _SLOW.search(method(node)):
            return True
    return False


def _blocks(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Give the lists of statements that run in a row, without loops and handlers."""
    yield body
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try, ast.With, ast.AsyncWith)):
            yield from _blocks(statement.body)


def _call(statement: ast.stmt) -> ast.Call | None:
    value = statement.value if isinstance(statement, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    return value if isinstance(value, ast.Call) else None


def _in_script(path: str, text: str) -> Iterator[Finding]:
    starts = [match.start() for match in _START.finditer(text)]
    for begin, end in pairwise([*starts, len(text)]):
        if "$transaction" in text[begin:end]:
            continue
        writes = list(_WRITE.finditer(text, begin, end))
        for first, second in pairwise(writes):
            between = text[first.end() : second.start()]
            if _is_dependent(first, text[second.end() : second.end() + 400], between):
                line = text.count("\n", 0, first.start()) + 1
                yield _finding(
                    path,
                    line,
                    first["model"],
                    f"await {first['client']}.$transaction(async (tx) => {{ … }});",
                )
                break


def _is_dependent(first: re.Match[str], second: str, between: str) -> bool:
    """Tell whether the second write needs what the first one gave."""
    names = re.findall(r"\w+", (first["result"] or "").replace(":", " "))
    used = any(
        re.search(rf"\b{name}\b", second) or re.search(rf"\bif\s*\(!*{name}\b", between) for name in names
    )
    return used and not first["verb"].endswith("Many") and not _APART.search(between)


def _finding(path: str, line: int, what: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"If the program ends between the writes of {what}, the first one stands and the second never "
        "happened.",
        steps=("Do both in one transaction.",),
        snippet=snippet,
    )
