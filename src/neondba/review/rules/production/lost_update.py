"""A counter is read, changed in the program, and written back.

Two requests at once read the same number, both add one, and one of the two is lost. Let the database
add: it locks the row for exactly as long as it takes.

## Instead
```python bad path=app/orders.py case=python
def ship(session, product_id, amount):
    product = session.get(Product, product_id)
    product.stock -= amount  # <- finding
    session.commit()
```
A name in between changes nothing, nor does a helper that reads the row:
```python bad path=app/chat.py case=helper
def add_message(db, chat_id, text):
    chat = require_chat(db, chat_id)
    number = chat.message_count + 1
    db.add(Message(chat_id=chat.id, number=number, text=text))
    chat.message_count = number  # <- finding
    db.commit()
```
```python good path=app/orders.py case=python
def ship(session, product_id, amount):
    product = session.get(Product, product_id)
    product.stock = Product.stock - amount
    session.commit()
```
```typescript bad path=src/metrics.ts case=typescript
export async function visit(id: string) {
  const shop = await db.shop.findUnique({ where: { id } });
  const visits = shop.visits + 1;
  await db.shop.update({ where: { id }, data: { visits } });  // <- finding
}
```
```typescript good path=src/metrics.ts case=typescript
export async function visit(id: string) {
  await db.shop.update({ where: { id }, data: { visits: { increment: 1 } } });
}
```
```prisma bad path=prisma/schema.prisma case=typescript
model Shop {
  id     String @id
  visits Int    @default(0)
}
```
```typescript bad path=src/stock.ts case=drizzle
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { eq } from "drizzle-orm";
import { db } from "./db";

export const products = pgTable("products", { id: text("id").primaryKey(), stock: integer("stock") });

export async function take(id: string, amount: number) {
  const [product] = await db.select().from(products).where(eq(products.id, id));
  await db.update(products).set({ stock: product.stock - amount }).where(eq(products.id, id));  // <- finding
}
```
A list in one column is lost in the same way:
```typescript bad path=src/collections.ts case=list
import { jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { eq } from "drizzle-orm";
import { db } from "./db";

export const collections = pgTable("collections", { id: text("id").primaryKey(), spots: jsonb("spots") });

export async function add(id: string, spot: string) {
  const found = await db.select().from(collections).where(eq(collections.id, id)).limit(1);
  const collection = found[0];
  const before = (collection.spots as string[]) || [];
  const after = [...before, spot];
  await db.update(collections).set({ spots: after }).where(eq(collections.id, id));  // <- finding
}
```
## When it does not matter
A row that was locked for the change, or that is only changed if it still has the number that was read,
and sums that are never stored:
```typescript good path=src/stock.ts case=guarded
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { and, eq } from "drizzle-orm";
import { db } from "./db";

export const products = pgTable("products", { id: text("id").primaryKey(), stock: integer("stock") });

export async function take(id: string, amount: number) {
  const [product] = await db.select().from(products).where(eq(products.id, id));
  await db.update(products).set({ stock: product.stock - amount })
    .where(and(eq(products.id, id), eq(products.stock, product.stock)));
}
```
```python good path=app/orders.py case=locked
def ship(session, product_id, amount):
    product = session.get(Product, product_id, with_for_update=True)
    product.stock -= amount
    session.commit()

def total(orders):
    result = Result()
    for order in orders:
        result.total += order.total
    return result
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.postgres.sql_types import base_type
from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.typescript import nodes as script
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._blocks import is_member, own_nodes
from neondba.review.rules.production._shared import apps, dotted

_COUNTS = re.compile(
    r"(?:^|_)(?:counts?|counter|totals?|balance|stock|quantity|views?|likes?|votes?|points|credits?|used|usage|visits?|"
    r"attempts|inventory|score|amount|streak|retries|hits|clicks|downloads|karma)(?:_|$)"
)
_HELPER = re.compile(
    r"^(?:await )?(?:\w+\.)*(_?(?:get|require|load|find|fetch|ensure)_\w+)\((?:db|\w*session|conn)\b"
)
"""How a function is called that reads a row for others."""
_NUMBERS = frozenset({"integer", "bigint", "smallint", "numeric", "real", "double precision"})


@rule("NDB905", Category.PRODUCTION, Severity.MEDIUM)
def check(python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Report counters and lists that are computed outside of the database."""
    locking = frozenset(
        f.name
        for file in apps(python, "with_for_update")
        for f in file.functions
        if "with_for_update" in ast.unparse(f.node)
    )
    for file in apps(python, ".commit()", ".flush()"):
        for function in file.functions:
            if any(
                isinstance(c.func, ast.Attribute) and c.func.attr in ("commit", "flush")
                for c in function.calls
            ):
                yield from _in_function(file, function, locking)
    for file_ in calls.running(".update", ".upsert("):
        told: set[int] = set()
        for written, uses in calls.functions(file_):
            found = next((u for u in uses if u.kind == "update" and _computed(written, u)), None)
            if found is not None and found.line not in told:
                told.add(found.line)
                name = _computed(written, found) or ""
                yield _finding(file_.path, found.line, f"{found.table.title}.{name}", _step(found, name))


def _in_function(file: PythonFile, function: Function, locking: frozenset[str]) -> Iterator[Finding]:
    if "with_for_update" in file.text and "with_for_update" in ast.unparse(function.node):
        return
    loaded: dict[str, str] | None = None
    for node in function.assignments:
        target = node.target if isinstance(node, ast.AugAssign) else getattr(node, "targets", [None])[0]
        if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
            continue
        name = f"{target.value.id}.{target.attr}"
        if not _COUNTS.search(target.attr):
            continue
        loaded = _loaded(function, locking) if loaded is None else loaded
        if target.value.id not in loaded:
            continue
        value = node.value
        if isinstance(value, ast.Name):
            value = next((a.value for a in function.assignments if _binds(a, value.id)), value)
        if isinstance(node, ast.AugAssign) or _adds_to_itself(value, name):
            model = loaded.pop(target.value.id)
            sign = "-" if isinstance(getattr(node, "op", None), ast.Sub) else "+"
            by = node.value if isinstance(node, ast.AugAssign) else None
            amount = ast.unparse(by) if isinstance(by, ast.Name) else "1"
            yield _finding(file.path, node.lineno, name, f"{name} = {model}.{target.attr} {sign} {amount}")


def _loaded(function: Function, locking: frozenset[str]) -> dict[str, str]:
    """Give the variables that hold a row, with the name of its model."""
    rows = {}
    for node in function.assignments:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.value is not None:
            said = ast.unparse(node.value)
            helper = _HELPER.search(said)
            if (helper and helper[1] not in locking) or re.search(
                r"\.get\(|\.first\(|\.one\(|scalar_one|one_or_none|\.scalar\(", said
            ):
                model = re.search(r"\b(?:get|select|query)\(\s*([A-Z]\w+)", said)
                rows[node.targets[0].id] = model[1] if model else "Model"
    return rows


def _binds(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    )


def _adds_to_itself(value: ast.expr | None, name: str) -> bool:
    return isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)) and (
        dotted(value.left) == name or ast.unparse(value.left).startswith(f"({name} or")
    )  # fmt: skip


def _computed(function: script.Function, use: Use) -> str | None:
    """Give the field that a statement sets to what was read before, plus or minus something."""
    if use.data is None or use.argument("for") is not None:
        return None
    values = {
        name.name: node.value
        for node in own_nodes(function.body)
        if isinstance(node, script.Declare) and isinstance(name := node.target, script.Name) and node.value
    }
    rows = {
        name for node in own_nodes(function.body) if isinstance(node, script.Declare) and _is_read(node.value)
        for name in names_in(node.target)
    }  # fmt: skip
    entries = {n: v.object for n, v in values.items() if isinstance(v, script.Index)}
    rows |= {n for n, list_ in entries.items() if isinstance(list_, script.Name) and list_.name in rows}
    for one in use.data.properties:
        column = use.table.named(one.key)
        value = values.get(one.value.name) if isinstance(one.value, script.Name) else one.value
        kind = (column.type or "") if column is not None else ""
        if column is None or one.key in use.equals:
            continue
        if _is_list(kind) and any(_grown(value, row, one.key, values) for row in rows):
            return one.key
        if base_type(kind) not in _NUMBERS:
            continue
        if isinstance(value, script.Binary) and value.operator in ("+", "-"):
            left = values.get(value.left.name) if isinstance(value.left, script.Name) else value.left
            left = left.left if isinstance(left, script.Binary) else left
            if left is not None and any(is_member(left, row, one.key) for row in rows):
                return one.key
    return None


def _is_list(kind: str) -> bool:
    return kind.endswith("[]") or base_type(kind) in ("json", "jsonb")


def _grown(value: script.Node | None, row: str, key: str, values: dict[str, script.Node]) -> bool:
    """Tell whether a value is the row's own list with an entry more, or one less."""
    parts: list[script.Node] = []
    if isinstance(value, script.Array):
        parts = [i.value for i in value.items if isinstance(i, script.Spread)]
    elif isinstance(value, script.Call) and isinstance(value.callee, script.Member):
        parts = [value.callee.object] if value.callee.name in ("filter", "concat", "toSpliced") else []
    for part in parts:
        source = values.get(part.name) if isinstance(part, script.Name) else part
        source = source.left if isinstance(source, script.Binary) else source
        if source is not None and is_member(source, row, key):
            return True
    return False


def _is_read(value: script.Node | None) -> bool:
    """Tell whether a value was fetched; one that came with the request was not."""
    return isinstance(value, script.Call) and value.awaited and not value.name.endswith((".json", ".parse"))


def _step(use: Use, name: str) -> str:
    column = use.table.named(name)
    if column is not None and _is_list(column.type or ""):
        return 'await tx.select().from(table).where(…).for("update");'
    if use.tool == "prisma":
        return f"{name}: {{ increment: 1 }}"
    return f"{name}: sql`${{{use.table.label}.{name}}} + 1`"


def _finding(path: str, line: int, name: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"Two requests at once read the same {name} and one of the two changes is lost.",
        steps=("Let the database compute the new value, or lock the row while it is read.",),
        snippet=snippet,
    )
