"""All rows are loaded to count them or to add them up.

The database sends every row with every column over the network, and the program keeps them in memory,
for one number. It gets slower with each row that is added. `count(*)` and `sum(…)` send the number.

## Instead
```python bad path=app/tasks.py case=python
def page(session, statement, user_id):
    total = len(session.exec(select(Task).where(Task.user_id == user_id)).all())  # <- finding
    return total

def spent(session, user_id):
    costs = session.exec(select(Cost).where(Cost.user_id == user_id)).all()  # <- finding
    return sum(cost.amount for cost in costs)
```
```python good path=app/tasks.py case=python
def page(session, user_id):
    return session.exec(select(func.count()).select_from(Task).where(Task.user_id == user_id)).one()
```
```typescript bad path=src/balance.ts case=script
export async function balance(userId: string) {
  const rows = await db.transaction.findMany({ where: { userId } }); // <- finding
  return rows.reduce((sum, row) => sum + row.amount, 0);
}

export async function howMany(userId: string) {
  const rows = await db.transaction.findMany({ where: { userId } }); // <- finding
  return { total: rows.length };
}
```
```typescript good path=src/balance.ts case=script
export async function balance(userId: string) {
  const { _sum } = await db.transaction.aggregate({ where: { userId }, _sum: { amount: true } });
  return _sum.amount ?? 0;
}
```
```prisma bad path=prisma/schema.prisma case=script
model Transaction {
  id     String  @id
  userId String
  amount Decimal
}
```
## When it does not matter
Rows that are shown as well, a limited number of them, groups, and a test whether there is one:
```python good path=app/tasks.py case=shown
def tasks(session, user_id):
    rows = session.exec(select(Task).where(Task.user_id == user_id)).all()
    return {"tasks": rows, "total": len(rows)}

def is_known(session, email):
    rows = session.exec(select(User).where(User.email == email)).all()
    if len(rows) > 0:
        return True
    recent = session.exec(select(User).order_by(User.id).limit(5)).all()
    return len(recent)
```
```typescript good path=src/balance.ts case=shown
export async function list(userId: string) {
  const rows = await db.transaction.findMany({ where: { userId } });
  const last = await db.transaction.findMany({ where: { userId }, take: 10 });
  const taken = await db.transaction.findMany({ where: { userId } });
  if (taken.length > 0) return null;
  return { rows, total: rows.length, recent: last.length };
}
```
```prisma good path=prisma/schema.prisma case=shown
model Transaction {
  id     String  @id
  userId String
  amount Decimal
}
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use
from neondba.project.python import Function, PythonFiles
from neondba.project.python_index import walk
from neondba.project.typescript import nodes as script
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._blocks import own_nodes
from neondba.review.rules.production._shared import apps, is_session_work, method

_FEW = re.compile(r"\b(?:limit|group_by|distinct|slice|paginate|union|func|with_for_update)\b")
_BOUNDS = frozenset({"limit", "groupBy", "selectDistinct", "selectDistinctOn", "having"})
_SENDS = frozenset({"exec", "execute", "scalars", "query"})
_COMPARED = frozenset({"===", "!==", "==", "!=", ">", "<", ">=", "<=", "&&", "||"})


@rule("NDB818", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles, calls: OrmCalls) -> Iterator[Finding]:
    """Report reads of all rows of which only a number is used."""
    for script_ in calls.running(".length", ".reduce("):
        told: set[int] = set()
        for function, uses in calls.functions(script_):
            for use in uses:
                if use.line not in told and _is_unbounded(use) and _only_counted(function, use):
                    told.add(use.line)
                    snippet = (
                        f"await {use.client}.{use.links[0][1].name.split('.')[-2]}.count({{ where }})"
                        if use.tool == "prisma"
                        else f"{use.client}.$count({use.table.label}, where)"
                    )
                    yield _finding(script_.path, use.line, function.name, snippet)
    for file in apps(python, "len(", "sum("):
        for function_ in file.functions:
            if any(is_session_work(call, _SENDS) for call in function_.calls):
                for line in sorted(set(_counted(function_))):
                    snippet = "session.exec(select(func.count()).select_from(Model).where(…)).one()"
                    yield _finding(file.path, line, function_.name, snippet)


def _finding(path: str, line: int, name: str, snippet: str) -> Finding:
    return Finding(
        path,
        line,
        f"{name or 'This'}{'()' if name else ''} loads every row to get one number of them: each row that is "
        "added makes it slower.",
        steps=("Let the database count or add up, and read the number.",),
        snippet=snippet,
    )


def _counted(function: Function) -> Iterator[int]:
    """Give the lines where Python code reads rows that are only counted or added up."""
    compared = {id(n) for c in walk(function.node) if isinstance(c, ast.Compare) for n in walk(c)}
    counted = {id(n) for call in function.calls for n in _measured(call)}
    for call in function.calls:
        if (
            method(call) == "len"
            and call.args
            and id(call) not in compared
            and _is_all(function, call.args[0])
        ):
            yield call.lineno
    for node in function.assignments:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and node.value is not None and _is_all(function, node.value):
            named = [n for n in walk(function.node) if isinstance(n, ast.Name) and n.id == target.id]
            used = [n for n in named if isinstance(n.ctx, ast.Load)]
            once = len(named) - len(used) == 1
            if (
                once
                and used
                and all(id(n) in counted for n in used)
                and any(id(n) not in compared for n in used)
            ):
                yield node.lineno


def _measured(call: ast.Call) -> Iterator[ast.expr]:
    """Give the rows that `len(rows)` and `sum(row.x for row in rows)` are about."""
    first = call.args[0] if call.args else None
    if method(call) == "len" and first is not None:
        yield first
    if method(call) == "sum" and isinstance(first, ast.GeneratorExp | ast.ListComp):
        yield first.generators[0].iter


def _is_all(function: Function, value: ast.expr) -> bool:
    """Tell whether an expression reads all rows of a statement: `session.exec(…).all()`."""
    value = value.value if isinstance(value, ast.Await) else value
    if not isinstance(value, ast.Call) or method(value) not in ("all", "fetchall"):
        return False
    sends = [n for n in walk(value) if isinstance(n, ast.Call) and is_session_work(n, _SENDS)]
    if not sends:
        return False
    names = {n.id for n in walk(value) if isinstance(n, ast.Name)}
    made = [
        node.value for node in function.assignments
        if node.value is not None and isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
    ]  # fmt: skip
    return not any(_FEW.search(ast.unparse(part)) for part in (value, *made))


def _is_unbounded(use: Use) -> bool:
    """Tell whether a statement reads all rows of a condition."""
    method_, call = use.links[0]
    if use.kind != "list" or method_ in ("count", "aggregate", "groupBy") or not use.node.awaited:
        return False
    if use.tool == "prisma" or method_ == "findMany":
        options = call.arguments[0] if call.arguments else None
        given = {p.key for p in options.properties} if isinstance(options, script.Object) else set()
        return not given & {"take", "distinct", "limit"} and not (options and not given)
    return not any(name in _BOUNDS for name, _ in use.links) and not _selects(use)


def _selects(use: Use) -> bool:
    """Tell whether a chain chooses what it reads, which may be a number already."""
    root = [n for n in script.walk(use.node) if isinstance(n, script.Call) and n.name.endswith(".select")]
    return any(n.arguments for n in root) or any(
        n.name.rpartition(".")[2] in _BOUNDS for n in script.walk(use.node) if isinstance(n, script.Call)
    )


def _only_counted(function: script.Function, use: Use) -> bool:
    """Tell whether the rows are nowhere used but in `.length` and `.reduce(…, 0)`."""
    body = list(own_nodes(function.body))
    declared = next((n for n in body if isinstance(n, script.Declare) and n.value is use.node), None)
    if declared is None or not isinstance(declared.target, script.Name):
        return False
    name, every = declared.target.name, list(script.walk(function.body))
    uses = [n for n in every if isinstance(n, script.Name) and n.name == name and n is not declared.target]
    tested = {id(n) for test in every for n in _tested(test)}
    members = (n for n in every if isinstance(n, script.Member) and n.name == "length")
    counted = {id(n.object) for n in members}
    for call in (n for n in every if isinstance(n, script.Call) and n.name.endswith(".reduce")):
        start = call.arguments[1] if len(call.arguments) == 2 else None
        if (
            isinstance(call.callee, script.Member)
            and isinstance(start, script.Constant)
            and start.text == "0"
        ):
            counted.add(id(call.callee.object))
    return bool(uses) and all(id(n) in counted for n in uses) and any(id(n) not in tested for n in uses)


def _tested(node: script.Node) -> Iterator[script.Node]:
    """Give what a condition is about."""
    if isinstance(node, script.If | script.Conditional):
        yield from script.walk(node.test)
    elif (isinstance(node, script.Binary) and node.operator in _COMPARED) or isinstance(node, script.Unary):
        yield from script.walk(node)
