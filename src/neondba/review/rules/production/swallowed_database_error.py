"""A failure of the database is caught and dropped.

The program goes on as if the write had happened, or starts without its tables; what breaks is then
something else, later, for a user. Either the failure is expected (say `ON CONFLICT DO NOTHING`), or
somebody has to hear of it.

## Instead
```python bad path=app/jobs.py case=write
def record(session, event):
    session.add(event)
    try:
        session.commit()
    except Exception:  # <- finding
        pass
```
```python good path=app/jobs.py case=write
def record(session, event):
    session.execute(insert(Event).values(id=event.id).on_conflict_do_nothing())
    session.commit()
```
```python bad path=app/main.py case=start
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(app):
    try:
        connect_to_database()
    except Exception as error:  # <- finding
        print(error)
    yield
```
```python bad path=app/db.py case=tables
from sqlmodel import SQLModel

def create_tables():
    try:
        SQLModel.metadata.create_all(engine)
    except Exception as error:  # <- finding
        print(f"could not create tables: {error}")
```
## When it does not matter
Errors that are raised again, answered, or kept; and the closing of what is already broken:
```python good path=app/jobs.py case=answered
def record(session, event):
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise
    try:
        session.rollback()
    except Exception:
        pass

def known(session):
    try:
        session.commit()
    except IntegrityError:
        return None
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.places import is_test
from neondba.project.python import Function, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import dotted, is_broad, is_session_work

_WRITES = frozenset({"commit", "flush"})
_STARTS = (
    "create_all",
    "init_db",
    "create_db_and_tables",
    "connect",
    "create_tables",
    "run_migrations",
    "init_database",
)
_LOUD = (ast.Raise, ast.Return, ast.Continue, ast.Break, ast.Yield)


@rule("NDB907", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report handlers that drop a failed write or a failed start."""
    for file in python.containing("except"):
        if is_test(file.path) or not any(
            w in file.text for w in ("commit", "lifespan", "on_event", "startup", ".create_all")
        ):
            continue
        for function in file.functions:
            starts = _is_start(function)
            if (
                starts
                or any(_creates(call) for call in function.calls)
                or any(is_session_work(call, _WRITES) for call in function.calls)
            ):
                yield from _handlers(file.path, function, starts=starts)


def _is_start(function: Function) -> bool:
    said = " ".join(ast.unparse(d) for d in function.decorators)
    return ("asynccontextmanager" in said and "lifespan" in function.name) or "startup" in said


def _handlers(path: str, function: Function, *, starts: bool) -> Iterator[Finding]:
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Try):
            continue
        calls = [c for s in node.body for c in ast.walk(s) if isinstance(c, ast.Call)]
        writes = any(is_session_work(call, _WRITES) for call in calls)
        opens = any(_creates(call) or (starts and _opens(call)) for call in calls)
        for handler in node.handlers:
            if (writes and _is_silent(handler) and is_broad(handler.type)) or (
                opens and not _is_loud(handler)
            ):
                yield _finding(path, handler, function, opens=opens)


def _creates(call: ast.Call) -> bool:
    """Tell whether a call makes the tables of the models, by itself or through `run_sync`."""
    return ".metadata.create_all" in " ".join(dotted(part) for part in (call.func, *call.args))


def _opens(call: ast.Call) -> bool:
    name = dotted(call.func).rpartition(".")[2] or ast.unparse(call.func).rpartition(".")[2]
    passed = " ".join(dotted(a) for a in call.args)
    return name.startswith(_STARTS) or "create_all" in passed


def _is_silent(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(s, ast.Pass) or _is_text(s) for s in handler.body)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_loud(handler: ast.ExceptHandler) -> bool:
    inner = [n for s in handler.body for n in ast.walk(s)]
    exits = any(isinstance(n, ast.Call) and "exit" in ast.unparse(n.func) for n in inner)
    kept = any(isinstance(n, ast.Assign) for n in inner)
    return exits or kept or any(isinstance(n, _LOUD) for n in inner)


def _finding(path: str, handler: ast.ExceptHandler, function: Function, *, opens: bool) -> Finding:
    what = ast.unparse(handler.type) if handler.type else "every error"
    effect = (
        "the program starts without its database, and every request fails instead"
        if opens
        else "a write that failed looks as if it had happened"
    )
    return Finding(
        path,
        handler.lineno,
        f"{function.name}() drops {what}: {effect}.",
        steps=(
            "Raise it again after logging.",
            "Where it is expected, say so in the statement: ON CONFLICT DO NOTHING.",
        ),
        snippet=f'except {what}:\n    logger.exception("{function.name}")\n    raise',
    )
