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
```python bad path=app/notes.py case=untyped
from fastapi import APIRouter, Depends
from app.database import get_db
from app.service import all_notes

router = APIRouter()

@router.get("/notes")
async def notes(db=Depends(get_db)):  # <- finding
    return all_notes(db)
```
```python bad path=app/database.py case=untyped
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("postgresql://localhost/app")
SessionLocal = sessionmaker(bind=engine)

def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
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

from neondba.project.dependencies import Dependency, dependencies_of
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import (
    SESSIONS,
    apps,
    receiver,
    route_of,
    session_parameters,
)

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
                names += _untyped(python, file, function)
                if names and _blocks(function, names[0]):
                    found.append((function, names[0]))
        if found:
            yield _finding(file.path, found)


def _untyped(python: PythonFiles, file: PythonFile, function: Function) -> list[str]:
    """Give the parameters without a type whose dependency yields a blocking session."""
    bare = {p.name for p in function.parameters if p.annotation is None}
    if not bare:
        return []
    return [
        one.parameter
        for one in dependencies_of(python, file, function)
        if one.parameter in bare and any(_yields_session(python, d) for d in one.chain)
    ]


def _yields_session(python: PythonFiles, one: Dependency) -> bool:
    """Tell whether a dependency is a plain function that makes a session and yields it."""
    made = one.function
    if made is None or one.file is None or made.is_async:
        return False
    given = {
        n.value.id for n in ast.walk(made.node) if isinstance(n, ast.Yield) and isinstance(n.value, ast.Name)
    }
    return any(name in given and _makes_session(python, one.file, call) for name, call in _bound(made))


def _bound(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Give the names that a function binds with `=` and `with`, and to what."""
    for node in function.assignments:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and node.value is not None:
            yield target.id, node.value
    for inner in ast.walk(function.node):
        for item in inner.items if isinstance(inner, ast.With) else ():
            if isinstance(item.optional_vars, ast.Name):
                yield item.optional_vars.id, item.context_expr


def _makes_session(python: PythonFiles, file: PythonFile, call: ast.expr) -> bool:
    if not isinstance(call, ast.Call):
        return False
    name = file.resolve(call.func) or ""
    if name in SESSIONS:
        return True
    found = python.definition(name)
    if found is None or not isinstance(found[1], ast.Call):
        return False
    factory, kinds = (
        found[0].resolve(found[1].func) or "",
        [k for k in found[1].keywords if k.arg == "class_"],
    )
    return factory == "sqlalchemy.orm.sessionmaker" and not kinds


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
