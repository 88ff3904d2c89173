"""A statement is written and never sent.

Prisma and Drizzle send a statement when somebody waits for it. Without `await`, `then` or a transaction that
takes it, `prisma.order.update(…)` is an object that is thrown away: no row changes, and no error tells of it.

## Instead
```typescript bad path=src/orders.ts case=lost
export async function close(id: string) {
  prisma.order.update({ where: { id }, data: { open: false } }); // <- finding
  return { closed: true };
}
```
```prisma bad path=prisma/schema.prisma case=lost
model Order {
  id   String  @id
  open Boolean
}
```
```typescript good path=src/orders.ts case=awaited
export async function close(id: string) {
  await prisma.order.update({ where: { id }, data: { open: false } });
  return { closed: true };
}
```
## When it does not matter
Statements that are returned, kept, handed on, or followed by `then` and its kin:
```typescript good path=src/orders.ts case=sent
export function find(id: string) {
  return prisma.order.findUnique({ where: { id } });
}
export async function closeAll(ids: string[]) {
  const changes = ids.map((id) => prisma.order.update({ where: { id }, data: { open: false } }));
  await prisma.$transaction(changes);
  prisma.order.count().then((left) => console.log(left));
  void prisma.order.count().catch(() => undefined);
}
```
```prisma good path=prisma/schema.prisma case=sent
model Order {
  id   String  @id
  open Boolean
}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use
from neondba.project.typescript.nodes import Call
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._blocks import blocks, sent, statements

_SENDS = frozenset({"then", "catch", "finally", "execute", "run", "all", "get", "prepare", "toSQL"})


@rule("NDB911", Category.PRODUCTION, Severity.HIGH)
def check(calls: OrmCalls) -> Iterator[Finding]:
    """Find statements to Prisma and Drizzle that stand alone and are not awaited."""
    for file in calls.running():
        told: set[int] = set()
        for function, _ in calls.functions(file):
            for block in blocks(function):
                for statement in statements(block):
                    use = sent(calls, statement) if isinstance(statement, Call) else None
                    if use is not None and _is_lost(use) and use.line not in told:
                        told.add(use.line)
                        yield _finding(file.path, use, function.name)


def _is_lost(use: Use) -> bool:
    return not use.node.awaited and not _SENDS.intersection(name for name, _ in use.links)


def _finding(path: str, use: Use, function: str) -> Finding:
    return Finding(
        path,
        use.line,
        f"{function or 'The function'}() makes a statement on {use.table.title} and never sends it: nothing "
        "happens in the database, and nobody is told.",
        steps=("Write await before it.",),
        snippet=f"await {use.client}…",
    )
