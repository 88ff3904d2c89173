"""A new engine, with a new pool, is made for each request.

Each engine opens connections of its own, does the TLS handshake and the login anew, and leaves them
open until the garbage collector finds it. Under load the database runs out of connections, while none
of the pools ever hands one out twice.

## Instead
```python bad path=app/db.py case=each
from fastapi import Depends, FastAPI
from sqlmodel import Session, create_engine
from app.settings import settings

def get_session():
    engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)  # <- finding
    with Session(engine) as session:
        yield session

app = FastAPI()

@app.get("/orders")
def orders(session: Session = Depends(get_session)):
    return []
```
```python good path=app/db.py case=each
from fastapi import Depends, FastAPI
from sqlmodel import Session, create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)

def get_session():
    with Session(engine) as session:
        yield session
```
## When it does not matter
An engine that is made once and kept, one for the start of the program, and functions that requests do
not reach:
```python good path=app/db.py case=kept
from functools import lru_cache
from fastapi import Depends, FastAPI
from sqlmodel import create_engine
from app.settings import settings

_engine = None

@lru_cache
def get_engine():
    return create_engine(settings.DATABASE_URL, pool_pre_ping=True)

def get_other():
    global _engine
    if _engine is None:
        _engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)
    return _engine

def serve(engine=Depends(get_engine), other=Depends(get_other)):
    return []
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.engines import Engine, Engines
from neondba.project.python import Function, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import address_of, with_settings

_CACHES = ("cache", "lru_cache", "cached", "singleton")
_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "api_route", "route", "websocket", "tool"})


@rule("NDB213", Category.POOLING, Severity.HIGH)
def check(engines: Engines, python: PythonFiles) -> Iterator[Finding]:
    """Report engines made inside routes and dependencies."""
    for engine in engines.all:
        function = engine.function
        if (
            not engine.is_of_the_app
            or engine.backend == "sqlite"
            or function is None
            or _is_kept(function, engine)
        ):
            continue
        if _is_route(function) or _is_dependency(function, python):
            yield _finding(engine, function)


def _is_kept(function: Function, engine: Engine) -> bool:
    names = [ast.unparse(d).partition("(")[0].rpartition(".")[2] for d in function.decorators]
    if any(name.startswith(_CACHES) or name == "asynccontextmanager" for name in names):
        return True
    if any(isinstance(node, ast.Global) for node in ast.walk(function.node)):
        return True
    for node in function.assignments:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None and any(inner is engine.call for inner in ast.walk(node.value)):
            return any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets)
    return False


def _is_route(function: Function) -> bool:
    return any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr in _ROUTES
        for d in function.decorators
    )


def _is_dependency(function: Function, python: PythonFiles) -> bool:
    pattern = re.compile(rf"\bDepends\(\s*(?:\w+\.)?{re.escape(function.name)}\b")
    return any(pattern.search(file.text) for file in python.containing("Depends("))


def _finding(engine: Engine, function: Function) -> Finding:
    return Finding(
        engine.path,
        engine.line,
        f"{function.name}() makes a new pool for {address_of(engine)} at every request; under load the "
        "database runs out of connections.",
        steps=(
            f"Make the engine once, at the top of {engine.path}.",
            f"Use that engine in {function.name}().",
        ),
        snippet="engine = " + with_settings(engine, "pool_pre_ping=True", "pool_recycle=300"),
    )
