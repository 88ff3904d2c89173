"""Work that goes on after the answer is given the request's session.

The dependency closes the session when the request is over. The task then works with a closed session:
it takes a new connection that nobody gives back, meets `DetachedInstanceError` on loaded rows, or, in
an asynchronous program, uses one connection at the same time as another task.

## Instead
```python bad path=app/orders.py case=background
from fastapi import APIRouter, BackgroundTasks, Depends
from sqlmodel import Session
from app.db import get_session

router = APIRouter()

@router.post("/orders")
def order(tasks: BackgroundTasks, session: Session = Depends(get_session)):
    tasks.add_task(write_invoice, session, 1)  # <- finding
```
```python good path=app/orders.py case=background
from fastapi import APIRouter, BackgroundTasks, Depends
from sqlmodel import Session
from app.db import engine, get_session

router = APIRouter()

def write_invoice(order_id: int):
    with Session(engine) as session:
        session.commit()

@router.post("/orders")
def order(tasks: BackgroundTasks, session: Session = Depends(get_session)):
    tasks.add_task(write_invoice, 1)
```
```python bad path=app/mail.py case=task
import asyncio
from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession
from app.db import get_session

router = APIRouter()

@router.post("/mails")
async def mail(session: AsyncSession = Depends(get_session)):
    asyncio.create_task(send_all(session))  # <- finding
```
## When it does not matter
A session that the function itself opened for the task, tasks that are awaited, and tests:
```python good path=app/mail.py case=own
import asyncio
from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession
from app.db import get_session

router = APIRouter()

@router.post("/mails")
async def mail(session: AsyncSession = Depends(get_session)):
    task = asyncio.create_task(send_all(session))
    await task

@router.post("/tasks")
async def create(session: AsyncSession = Depends(get_session)):
    return TaskService.create_task(session, "title")

async def work():
    session = AsyncSession(engine)
    asyncio.create_task(send_all(session))
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.routes import Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_STARTS = frozenset({"create_task", "ensure_future"})
_TYPES = ("Session", "AsyncSession", "Connection", "AsyncConnection", "SessionDep", "AsyncSessionDep")
_NAMES = ("session", "db", "db_session", "async_session")


@rule("NDB219", Category.POOLING, Severity.MEDIUM)
def check(routes: Routes, python: PythonFiles) -> Iterator[Finding]:
    """Report the first such task of each route."""
    if next(python.containing("add_task", *_STARTS), None) is None:
        return
    for route in routes.routes:
        injected = {d.parameter for d in route.dependencies}
        sessions = {
            p.name
            for p in route.function.parameters
            if (route.file.resolve(p.annotation) or "").rpartition(".")[2] in _TYPES
            or (p.name in injected and p.name in _NAMES)
        }
        call = (
            next((c for c in route.function.calls if _hands_over(route.file, c, sessions)), None)
            if sessions
            else None
        )
        if call is not None and not _is_awaited(route.function, call):
            yield _finding(route.file.path, call, route.function)


def _hands_over(file: PythonFile, call: ast.Call, sessions: set[str]) -> bool:
    """Tell a framework's task from a method of the project that has such a name, as todo lists do."""
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name == "add_task":
        given: list[ast.expr] = [*call.args[1:], *(k.value for k in call.keywords)]
        return not _is_session(call.args[:1], sessions) and _is_session(given, sessions)
    known = name in _STARTS and (file.resolve(func) or "").startswith(("asyncio.", "anyio."))
    started = call.args[0] if call.args and known else None
    if not isinstance(started, ast.Call):
        return False
    return _is_session([*started.args, *(k.value for k in started.keywords)], sessions)


def _is_session(nodes: list[ast.expr], sessions: set[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in sessions for node in nodes)


def _is_awaited(function: Function, call: ast.Call) -> bool:
    """Tell whether the function waits for what it started."""
    awaited = [node.value for node in function.nodes if isinstance(node, ast.Await)]
    if any(inner is call for value in awaited for inner in ast.walk(value)):
        return True
    kept = set()
    for node in function.assignments:
        if node.value is not None and any(inner is call for inner in ast.walk(node.value)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            kept |= {t.id for t in targets if isinstance(t, ast.Name)}
    return any(isinstance(n, ast.Name) and n.id in kept for value in awaited for n in ast.walk(value))


def _finding(path: str, call: ast.Call, function: Function) -> Finding:
    return Finding(
        path,
        call.lineno,
        f"The task that {function.name}() starts gets the request's session, which is closed when the "
        "request is over: the task fails on it, or keeps a connection that nobody gives back.",
        steps=("Give the task ids, and let it open a session of its own.",),
        snippet="def task(row_id: int) -> None:\n    with Session(engine) as session:\n        ...",
    )
