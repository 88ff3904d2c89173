"""Tables are created at start, so no change of a model reaches them.

`create_all` makes the tables that are missing and leaves the others as they are: a new column, a changed
type or a new constraint never arrives, and the first query that names it fails in production. Nothing
records what was done, nothing leads back, and two instances that start together run into each other.

## Instead

```python bad path=app/main.py
from fastapi import FastAPI

from app.models import Base, engine

Base.metadata.create_all(bind=engine)  # <- finding
app = FastAPI()
```

```sh
alembic revision --autogenerate -m "first tables"
alembic upgrade head
```

```python good path=app/main.py
from fastapi import FastAPI

app = FastAPI()
```

## When it does not matter

Tests make their own tables, and a branch for development or SQLite may:

```python good path=tests/conftest.py
from app.models import Base, engine

Base.metadata.create_all(engine)
```

```python good path=app/main.py
from app.models import Base, engine
from app.settings import settings

if settings.environment == "development":
    Base.metadata.create_all(engine)
```

A function that nobody calls does nothing:

```python good path=app/database.py
from sqlmodel import SQLModel


def create_tables(engine):
    SQLModel.metadata.create_all(engine)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.python import Call, Function, PythonFile, PythonFiles
from neondba.project.sqlalchemy_types import last_name
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

NOT_THE_APP = re.compile(
    r"(^|/)(tests?|testing|conftest|fixtures|examples?|docs|notebooks)(/|\.py$|_)|(^|/)test_|_test\.py$"
)
GUARD = re.compile(
    r"\b\w*(debug|dev|test|local|sqlite|environment|env|auto_create|create_tables)\w*\b", re.IGNORECASE
)
STARTS = ("lifespan", "startup", "start_up", "on_start")


@rule("NDB610", Category.MIGRATION, Severity.MEDIUM)
def check(python: PythonFiles, alembic: AlembicHistory) -> Iterator[Finding]:
    """Find create_all that the running application reaches."""
    managed = bool(alembic.histories)
    for file in python.containing("create_all"):
        if NOT_THE_APP.search(file.path) or ("sqlite" in file.text and "postgres" not in file.text):
            continue
        for call in file.calls:
            if _creates_all(call.node) and not _guarded(file, call):
                yield from _findings(python, file, call, managed)


def _creates_all(node: ast.Call) -> bool:
    if last_name(node) == "create_all":
        return isinstance(node.func, ast.Attribute) and "metadata" in ast.unparse(node.func.value).lower()
    return any(isinstance(a, ast.Attribute) and a.attr == "create_all" for a in node.args)


def _findings(python: PythonFiles, file: PythonFile, call: Call, managed: bool) -> Iterator[Finding]:
    function = call.function
    callers = list(_callers(python, function)) if function else []
    script = "__main__" in file.text
    starts_itself = function is None or _is_start(function)
    if not (callers or starts_itself or script):
        return
    if managed and not starts_itself and not any(_starts(c) for _, c in callers):
        return
    yield _finding(file.path, call.node.lineno, managed)
    entries = [(f, c) for f, c in callers if _starts(c) and not NOT_THE_APP.search(f.path)]
    if len(entries) > 1:
        for caller, entry in entries:
            yield _finding(caller.path, entry.node.lineno, managed)


def _finding(path: str, line: int, managed: bool) -> Finding:
    if managed:
        text = "Tables appear here that no revision knows, and changed models never reach their tables."
        steps: tuple[str, ...] = (
            "Remove create_all.",
            "Run `alembic upgrade head` as a step of the deployment.",
        )
    else:
        text = "Tables are only ever created here: a changed model never reaches the table that exists."
        steps = (
            "Set up Alembic and write the first revision from the models.",
            "Mark databases that exist with `alembic stamp head`.",
            "Remove create_all, and run `alembic upgrade head` before each release.",
        )
    first = "alembic init alembic\nalembic revision --autogenerate -m 'first tables'"
    paste = "alembic upgrade head" if managed else first
    return Finding(path, line, text, steps, paste)


def _callers(python: PythonFiles, function: Function) -> Iterator[tuple[PythonFile, Call]]:
    for file in python.containing(function.name):
        if NOT_THE_APP.search(file.path):
            continue
        for call in file.calls:
            names = [call.node.func, *call.node.args]
            if any(last_name(n) == function.name and not isinstance(n, ast.Call) for n in names):
                found = python.definition(
                    file.resolve(next(n for n in names if last_name(n) == function.name))
                )
                if found is None or found[1] is function:
                    yield file, call


def _starts(call: Call) -> bool:
    function = call.function
    return function is None or _is_start(function)


def _is_start(function: Function) -> bool:
    if any(word in function.name.lower() for word in STARTS):
        return True
    return any(
        "on_event" in ast.unparse(d) or "asynccontextmanager" in ast.unparse(d) for d in function.decorators
    )


def _guarded(file: PythonFile, call: Call) -> bool:
    """Tell whether an `if` on the environment stands around the call."""
    scope: ast.AST | None = call.function.node if call.function else file.tree
    for node in ast.walk(scope) if scope else ():
        if isinstance(node, ast.If) and node.lineno <= call.node.lineno <= (node.end_lineno or 0):
            test = ast.unparse(node.test)
            if GUARD.search(test) and "__name__" not in test:
                return True
    return False
