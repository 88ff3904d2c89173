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
```python good path=app/orders.py case=python
def ship(session, product_id, amount):
    product = session.get(Product, product_id)
    product.stock = Product.stock - amount
    session.commit()
```
```typescript bad path=src/metrics.ts case=typescript
const shop = await db.shop.findUnique({ where: { id } });
await db.shop.update({  // <- finding
  where: { id },
  data: { visits: shop.visits + 1 },
});
```
```typescript good path=src/metrics.ts case=typescript
await db.shop.update({ where: { id }, data: { visits: { increment: 1 } } });
```
## When it does not matter
A row that was locked for the change, and sums that are never stored:
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

from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFiles
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted

_COUNTS = re.compile(
    r"(?:^|_)(?:counts?|counter|totals?|balance|stock|quantity|views?|likes?|votes?|points|credits?|used|usage|visits?|"
    r"attempts|inventory|score|amount|streak|retries|hits|clicks|downloads|karma)(?:_|$)"
)
_IN_PRISMA = re.compile(
    r"\b(?P<field>\w+):\s*\(?\s*(?P<row>\w+)\??\.(?P=field)(?:\s*\?\?\s*0)?\)?\s*[+\-*]\s"
)
_READ = re.compile(
    r"\b(?P<row>\w+)\s*=\s*await\s+[\w.]+\.(?:findUnique|findFirst|findUniqueOrThrow|findFirstOrThrow)\("
)


@rule("NDB905", Category.PRODUCTION, Severity.MEDIUM)
def check(python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Report counters that are computed outside of the database."""
    for file in apps(python, ".commit()", ".flush()"):
        for function in file.functions:
            if any(
                isinstance(c.func, ast.Attribute) and c.func.attr in ("commit", "flush")
                for c in function.calls
            ):
                yield from _in_function(file.path, function)
    for path in tree.named(suffix=(".ts", ".tsx", ".js")):
        text = tree.text(path) or ""
        if ".update" in text and ".find" in text and not is_test(path) and not is_script(path):
            yield from _in_script(path, text)


def _in_function(path: str, function: Function) -> Iterator[Finding]:
    if "with_for_update" in ast.unparse(function.node):
        return
    loaded = _loaded(function)
    for node in function.assignments:
        target = node.target if isinstance(node, ast.AugAssign) else getattr(node, "targets", [None])[0]
        if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Name):
            continue
        name = f"{target.value.id}.{target.attr}"
        if target.value.id not in loaded or not _COUNTS.search(target.attr):
            continue
        if isinstance(node, ast.AugAssign) or _adds_to_itself(node.value, name):
            model = loaded.pop(target.value.id)
            sign = "-" if isinstance(getattr(node, "op", None), ast.Sub) else "+"
            by = node.value if isinstance(node, ast.AugAssign) else None
            amount = ast.unparse(by) if isinstance(by, ast.Name) else "1"
            yield _finding(path, node.lineno, name, f"{name} = {model}.{target.attr} {sign} {amount}")


def _loaded(function: Function) -> dict[str, str]:
    """Give the variables that hold a row, with the name of its model."""
    rows = {}
    for node in function.assignments:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.value is not None:
            said = ast.unparse(node.value)
            if re.search(r"\.get\(|\.first\(|\.one\(|scalar_one|one_or_none|\.scalar\(", said):
                model = re.search(r"\b(?:get|select|query)\(\s*([A-Z]\w+)", said)
                rows[node.targets[0].id] = model[1] if model else "Model"
    return rows


def _adds_to_itself(value: ast.expr | None, name: str) -> bool:
    return isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)) and (
        dotted(value.left) == name or ast.unparse(value.left).startswith(f"({name} or")
    )  # fmt: skip


def _in_script(path: str, text: str) -> Iterator[Finding]:
    rows = {match["row"] for match in _READ.finditer(text)}
    for match in _IN_PRISMA.finditer(text) if rows else ():
        if match["row"] in rows:
            name = f"{match['row']}.{match['field']}"
            update = text.rfind(".update", 0, match.start())
            line = text.count("\n", 0, update if update >= 0 else match.start()) + 1
            yield _finding(path, line, name, f"{match['field']}: {{ increment: 1 }}")
            return


def _finding(path: str, line: int, name: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"Two requests at once read the same {name} and one of the two changes is lost.",
        steps=("Let the database compute the new value, or lock the row while it is read.",),
        snippet=snippet,
    )
