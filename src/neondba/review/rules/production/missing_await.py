"""A call of an async session is never awaited.

The call makes a coroutine and throws it away: nothing is sent to the database. A commit that is not
awaited loses the change without an error; Python only mutters `coroutine was never awaited` into the
log.

## Instead
```python bad path=app/orders.py case=lost
from sqlmodel.ext.asyncio.session import AsyncSession

async def save(order, session: AsyncSession):
    session.add(order)
    session.commit()  # <- finding
```
```python good path=app/orders.py case=lost
from sqlmodel.ext.asyncio.session import AsyncSession

async def save(order, session: AsyncSession):
    session.add(order)
    await session.commit()
```
## When it does not matter
Methods that are not coroutines, coroutines handed on, and sessions that block:
```python good path=app/orders.py case=fine
import asyncio
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

async def save(order, session: AsyncSession):
    session.add(order)
    session.expunge(order)
    await asyncio.gather(session.commit())
    return session.refresh(order)

def plain(order, session: Session):
    session.commit()
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import Function, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted, method, receiver, session_parameters

_COROUTINES = frozenset(
    {
        "commit",
        "execute",
        "exec",
        "refresh",
        "flush",
        "rollback",
        "scalar",
        "scalars",
        "get",
        "delete",
        "close",
        "merge",
    }
)


@rule("NDB908", Category.PRODUCTION, Severity.HIGH)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report coroutines of async sessions that nothing awaits."""
    for file in apps(python, "AsyncSession"):
        for function in file.functions:
            if not function.is_async:
                continue
            sessions = session_parameters(python, file, function)
            names = {name for name, kind in sessions.items() if kind == "async"}
            if names:
                for call in _lost(function, names):
                    yield _finding(file.path, call, function)


def _lost(function: Function, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(function.node):
        call: ast.AST | None = None
        if isinstance(node, ast.Expr) or (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
        ):
            call = node.value
        if isinstance(call, ast.Call) and method(call) in _COROUTINES and receiver(call) in names:
            yield call


def _finding(path: str, call: ast.Call, function: Function) -> Finding:
    what = ast.unparse(call.func)
    return Finding(
        path,
        call.lineno,
        f"{function.name}() makes {what}() and never awaits it: nothing is sent to the database, and nobody "
        "is told.",
        steps=(f"Write await before {what}().",),
        snippet=f"await {what}({', '.join(dotted(a) or '…' for a in call.args)})",
    )
