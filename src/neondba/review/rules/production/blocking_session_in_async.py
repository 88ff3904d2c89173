"""An async handler works with a blocking session.

While the database answers, the event loop stands still: no other request of this worker moves, not
even the health check. When a suspended compute wakes up, that is half a second for everybody. FastAPI
runs plain `def` handlers in threads; those may block.

## Instead
```python bad path=app/orders.py case=blocking
from fastapi import APIRouter, Depends
from sqlmodel import Session, select
from app.db import get_session
from app.models import Order

router = APIRouter()

@router.get("/orders")
async def orders(session: Session = Depends(get_session)):  # <- finding
    return session.exec(select(Order)).all()
```
```python good path=app/orders.py case=blocking
from fastapi import APIRouter, Depends
from sqlmodel import Session, select
from app.db import get_session
from app.models import Order

router = APIRouter()

@router.get("/orders")
def orders(session: Session = Depends(get_session)):
    return session.exec(select(Order)).all()
```
## When it does not matter
An async session, work handed to a thread, and handlers that do not touch the session:
```python good path=app/orders.py case=async
from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session, select
from sqlmodel.ext.asyncio.session import AsyncSession
from app.db import get_session
from app.models import Order

router = APIRouter()

@router.get("/orders")
async def orders(session: AsyncSession = Depends(get_session)):
    return (await session.exec(select(Order))).all()

@router.get("/report")
async def report(session: Session = Depends(get_session)):
    return await run_in_threadpool(make_report, session)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Function, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, receiver, route_of, session_parameters

_CANDIDATE = re.compile(r"@\w+\.(?:get|post|put|patch|delete|api_route|route|websocket)\(")
_TO_THREAD = ("run_in_threadpool", "to_thread", "run_in_executor", "run_sync")


@rule("NDB903", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report the first such handler of each file."""
    for file in apps(python, "async def"):
        if not _CANDIDATE.search(file.text):
            continue
        found = []
        for function in file.functions:
            if function.is_async and route_of(function) is not None:
                sessions = session_parameters(python, file, function)
                names = [name for name, kind in sessions.items() if kind == "sync"]
                if names and _blocks(function, names[0]):
                    found.append((function, names[0]))
        if found:
            yield _finding(file.path, found)


def _blocks(function: Function, name: str) -> bool:
    """Tell whether a handler uses the session itself, not only in a thread."""
    threads = [c for c in function.calls if ast.unparse(c.func).rpartition(".")[2] in _TO_THREAD]
    moved = {id(inner) for call in threads for inner in ast.walk(call)}
    for call in function.calls:
        if id(call) in moved:
            continue
        if receiver(call) == name:
            return True
        given = [*call.args, *(k.value for k in call.keywords)]
        if any(isinstance(part, ast.Name) and part.id == name for part in given):
            return True
    return False


def _finding(path: str, found: list[tuple[Function, str]]) -> Finding:
    function, name = found[0]
    others = f", and {len(found) - 1} more in this file," if len(found) > 1 else ""
    return Finding(
        path,
        function.line,
        f"{function.name}(){others} blocks the event loop during each query over {name}: no other request of "
        "the worker "
        "moves meanwhile.",
        steps=(
            "Write def instead of async def where the handler awaits nothing: FastAPI then runs it in a "
            "thread.",
            "Or use an AsyncSession and await its calls.",
        ),
        snippet=f"def {function.name}(",
    )
