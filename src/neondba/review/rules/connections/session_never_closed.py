"""A session is taken out of its dependency and never given back.

`next(get_db())` runs the generator up to its `yield` and drops it: what stands after the `yield` runs
whenever Python collects the generator, or never. Each such call can keep a connection of the pool, and when
the pool is used up every request waits and fails.

## Instead
```python bad path=app/middleware.py case=dropped
from app.db import get_db

def log_request(path):
    db = next(get_db())  # <- finding
    db.add(Visit(path=path))
    db.commit()
```
```python bad path=app/db.py case=dropped
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()

def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
```
```python good path=app/middleware.py
from app.db import SessionLocal

def log_request(path):
    with SessionLocal() as db:
        db.add(Visit(path=path))
        db.commit()
```
## When it does not matter
The function closes the session itself:
```python good path=app/jobs.py case=closed
from app.db import get_db

def run():
    db = next(get_db())
    try:
        work(db)
    finally:
        db.close()
```
```python good path=app/db.py case=closed
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()

def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_SESSION = re.compile(r"session|db|conn", re.IGNORECASE)


@rule("NDB222", Category.POOLING, Severity.MEDIUM)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report the first session of each function that is taken with `next` and not closed."""
    for file in python.containing("next(get_", "anext(get_", "__anext__("):
        if is_test(file.path) or is_script(file.path):
            continue
        for function in file.functions:
            if any(isinstance(n, ast.Yield) for n in function.nodes):
                continue
            for call in function.calls:
                source = _source(python, file, call)
                if source is not None and ".close()" not in ast.unparse(function.node):
                    yield _finding(file.path, call.lineno, function.name, source)
                    break


def _source(python: PythonFiles, file: PythonFile, call: ast.Call) -> str | None:
    """Give the name of the dependency whose generator a call of `next` starts."""
    if getattr(call.func, "id", "") not in ("next", "anext") or not call.args:
        return None
    made = call.args[0]
    meant = python.definition(file.resolve(made.func)) if isinstance(made, ast.Call) else None
    if meant is None or not isinstance(meant[1], Function) or not _SESSION.search(meant[1].name):
        return None
    return meant[1].name if any(isinstance(n, ast.Yield) for n in meant[1].nodes) else None


def _finding(path: str, line: int, function: str, source: str) -> Finding:
    return Finding(
        path,
        line,
        f"{function}() takes a session out of {source}() and never closes it: calls can use up the pool, and "
        "then every request waits and fails.",
        steps=(f"Open the session with `with` instead, or close the generator of {source}().",),
        snippet="with SessionLocal() as db:",
    )
