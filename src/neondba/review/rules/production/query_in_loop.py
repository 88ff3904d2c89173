"""A loop sends one query for each row of another.

A list of a hundred rows then costs a hundred and one round trips. Near the database nobody notices;
with the database in another region, or a compute that just woke up, the page takes seconds. One query
with a join, or with `IN`, brings the same rows.

## Instead
```python bad path=app/audit.py case=each
async def history(session):
    entries = (await session.exec(select(Entry))).all()
    shown = []
    for entry in entries:
        actor = await session.get(Worker, entry.actor_id)  # <- finding
        shown.append((entry, actor))
    return shown
```
```python good path=app/audit.py case=each
async def history(session):
    entries = (await session.exec(select(Entry))).all()
    ids = {entry.actor_id for entry in entries}
    workers = (await session.exec(select(Worker).where(Worker.id.in_(ids)))).all()
    actors = {worker.id: worker for worker in workers}
    return [(entry, actors[entry.actor_id]) for entry in entries]
```
```typescript bad path=src/feed.ts case=script
export async function feed() {
  const posts = await prisma.post.findMany({ take: 100 });
  return Promise.all(
    posts.map(async (post) => ({
      ...post,
      author: await prisma.user.findUnique({ where: { id: post.authorId } }), // <- finding
    })),
  );
}
```
```prisma bad path=prisma/schema.prisma case=script
model Post {
  id       String @id
  authorId String
}
model User {
  id String @id
}
```
A function that is called in the loop and asks there is no better, nor is the older way to ask:
```python bad path=app/crud.py case=helper
def read_product(id, db):
    return db.query(Product).filter(Product.id == id).first()

def update_totals(product_ids, db):
    for pid in product_ids:
        total = db.query(Item.quantity).filter(Item.product_id == pid).scalar()  # <- finding
        print(total)
```
```python bad path=app/routes.py case=helper
from app import crud

def check(items, db):
    for item in items:
        if crud.read_product(item.product_id, db) is None:  # <- finding
            raise ValueError(item.product_id)
```
## When it does not matter
Batches, attempts, a handful of constants, and scripts that run once:
```python good path=app/jobs.py case=batches
def work(session, ids):
    for attempt in range(3):
        session.get(Job, attempt)
    for session in sessions(ids):
        session.get("strategy", ids)
    for name in ("day", "week"):
        session.exec(select(Report).where(Report.name == name)).all()
    for start in range(0, len(ids), 500):
        session.exec(select(Job).where(Job.id.in_(ids[start : start + 500]))).all()
```
```typescript good path=src/feed.ts case=script
export async function feed() {
  const posts = await prisma.post.findMany({ include: { author: true } });
  for (const batch of chunks(posts, 100)) {
    await prisma.user.findMany({ where: { id: { in: batch.map((post) => post.authorId) } } });
  }
  for (const name of ["day", "week"]) {
    await prisma.post.findFirst({ where: { name } });
  }
  for (const post of posts) {
    const found = await prisma.user.findUnique({ where: { id: post.authorId } });
    if (found) return found;
  }
}
```
```prisma good path=prisma/schema.prisma case=script
model Post {
  id       String @id
  authorId String
}
model User {
  id String @id
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._helpers import Helpers, asked_in_loop
from neondba.review.rules.production._loops import looped
from neondba.review.rules.production._shared import READS, apps, dotted, is_session_work, method

_LOOPS = (ast.For, ast.AsyncFor)
_ENDS = frozenset({"first", "one", "one_or_none", "all", "scalar", "count", "get", "exists"})
_OLD = re.compile(r"(?:\w+\.)*_?(?:db|\w*session|sess)\.query\(")


@rule("NDB910", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Report each loop over rows with a query in it."""
    for script in calls.running("for (", "for await", ".map(", ".forEach("):
        told: set[int] = set()
        for around, use, rows in looped(calls, script):
            if use.line not in told:
                told.add(use.line)
                name = around.name or "The function"
                way = (
                    "findMany({ where: { id: { in: ids } } })"
                    if use.tool == "prisma"
                    else "inArray(table.id, ids)"
                )
                yield _finding(script.path, use.line, name, rows, way)
    helpers = Helpers(python)
    for file in apps(python, "session", "db", "sess.", "conn.", "connection.", "database."):
        for function in file.functions:
            if function.calls:
                yield from _loops(helpers, file, function)


def _loops(helpers: Helpers, file: PythonFile, function: Function) -> Iterator[Finding]:
    inside: set[int] = set()
    for loop in (node for node in function.nodes if isinstance(node, _LOOPS)):
        if id(loop) in inside or not _is_over_rows(loop.iter):
            continue
        names = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        body = [n for statement in loop.body for n in ast.walk(statement)]
        place = _query(loop, names)
        if place is None and not _is_over_fields(loop.iter) and isinstance(loop, ast.For):
            place = _queried(body, names) or asked_in_loop(helpers, file, body, names)
        if place is not None:
            inside |= {id(node) for node in ast.walk(loop)}
            what = dotted(loop.iter) or "the rows"
            way = "rows = session.exec(select(Model).where(Model.id.in_(ids))).all()"
            yield _finding(
                file.path, place, function.name, what, way + "\nby_id = {row.id: row for row in rows}"
            )


def _finding(path: str, line: int, name: str, what: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"{name}() sends one query for each of {what}: a list of a hundred costs a hundred round trips.",
        steps=(
            "Read all rows before the loop, with one query.",
            "Look them up in a dictionary inside of it.",
        ),
        snippet=snippet,
    )


def _is_over_rows(iterated: ast.expr) -> bool:
    """Tell whether a loop goes over something that grows with the data."""
    if isinstance(iterated, (ast.Tuple, ast.List, ast.Set, ast.Constant)):
        return False
    if isinstance(iterated, ast.Name) and iterated.id.isupper():
        return False
    said = ast.unparse(iterated).lower()
    return not said.startswith(("range(", "enumerate(range", "enumerate([")) and not any(
        word in said for word in ("batch", "chunk", "retr", "attempt", "page")
    )


def _query(loop: ast.For | ast.AsyncFor, names: set[str]) -> int | None:
    """Give the line of the first statement in a loop that asks about the loop's own row."""
    for statement in loop.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and is_session_work(node, READS) and node.args:
                asked = node.args[0]
                built = _built(loop, asked) if isinstance(asked, ast.Name) else None
                text = ast.unparse(built.value if built is not None else node)
                selects = "select(" in text.lower() or _is_row_by_key(node)
                used = {n.id for n in ast.walk(built or node) if isinstance(n, ast.Name)}
                if selects and used & names and "for_update" not in text:
                    return (built or node).lineno
    return None


def _is_over_fields(iterated: ast.expr) -> bool:
    """Tell whether a loop goes over the fields of one thing: `data.items()`."""
    return isinstance(iterated, ast.Call) and method(iterated) in ("items", "keys", "values", "fields")


def _queried(body: list[ast.AST], names: set[str]) -> int | None:
    """Give the line of `session.query(Model)…` that is narrowed by the loop's own row."""
    for node in body:
        if isinstance(node, ast.Call) and method(node) in _ENDS:
            said = ast.unparse(node)
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if _OLD.match(said) and used & names and "with_for_update" not in said:
                return node.lineno
    return None


def _is_row_by_key(call: ast.Call) -> bool:
    """Tell whether a call is `session.get(Model, key)`; a dictionary has a `get` as well."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("get", "get_one")
        and len(call.args) > 1
        and not isinstance(call.args[0], ast.Constant)
    )


def _built(loop: ast.For | ast.AsyncFor, name: ast.Name) -> ast.Assign | None:
    """Find where a statement is put together in the loop."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name.id for t in node.targets
        ):
            return node
    return None
