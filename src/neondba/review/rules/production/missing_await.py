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
```python fixed path=app/orders.py case=lost
from sqlmodel.ext.asyncio.session import AsyncSession

async def save(order, session: AsyncSession):
    session.add(order)
    await session.commit()
```
```python bad path=app/orders.py case=inside
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

async def names(session: AsyncSession):
    return session.execute(select(User.name)).scalars().all()  # <- finding
```
```python fixed path=app/orders.py case=inside
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

async def names(session: AsyncSession):
    return (await session.execute(select(User.name))).scalars().all()
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

from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.editing import inserted, replaced
from neondba.review.finding import Category, Edit, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted, method, receiver, session_parameters

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
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
                for call, alone in _lost(function, names):
                    yield _finding(file.path, call, function, _edits(file, call, function, alone=alone))


def _edits(file: PythonFile, call: ast.Call, function: Function, *, alone: bool) -> tuple[Edit, ...]:
    """Await the call where it stands; not inside a function of its own that cannot wait."""
    inner = [n for n in ast.walk(function.node) if isinstance(n, _SCOPES) and n is not function.node]
    if any(call in ast.walk(scope) for scope in inner):
        return ()
    if alone:
        return inserted(file.path, file.text, call.lineno, call.col_offset, "await ")
    source = ast.get_source_segment(file.text, call)
    if source is None or "\n" in source:
        return ()
    return replaced(file.path, file.text, call, f"(await {source})")


def _lost(function: Function, names: set[str]) -> Iterator[tuple[ast.Call, bool]]:
    """Give each call, and whether it is a statement by itself."""
    for node in ast.walk(function.node):
        call: ast.AST | None = None
        if isinstance(node, ast.Expr) or (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
        ):
            call = node.value
        if isinstance(call, ast.Call) and method(call) in _COROUTINES and receiver(call) in names:
            yield call, isinstance(node, ast.Expr)


def _finding(path: str, call: ast.Call, function: Function, edits: tuple[Edit, ...]) -> Finding:
    what = ast.unparse(call.func)
    return Finding(
        path,
        call.lineno,
        f"{function.name}() makes {what}() and never awaits it: nothing is sent to the database, and nobody "
        "is told.",
        steps=(f"Write await before {what}().",),
        snippet=f"await {what}({', '.join(dotted(a) or '…' for a in call.args)})",
        edits=edits,
    )
