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
from collections.abc import Iterator

from neondba.project.alembic_history import AlembicHistory
from neondba.project.places import is_script
from neondba.project.python import Call, Function, PythonFile, PythonFiles, Scope
from neondba.project.services import Services
from neondba.project.sqlalchemy_types import last_name
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._application import NOT_THE_APP, callers, guarded

STARTS = ("lifespan", "startup", "start_up", "on_start")


@rule("NDB610", Category.MIGRATION, Severity.MEDIUM)
def check(python: PythonFiles, alembic: AlembicHistory, services: Services) -> Iterator[Finding]:
    """Find create_all that the running application reaches."""
    found = list(_all(python, bool(alembic.histories)))
    served = {id(services.of(f.path)) for f in found if not _is_by_hand(python, f.path)}
    for finding in found:
        # What the application does at its start, a script may do before: one decision, told once.
        if id(services.of(finding.path)) not in served or not _is_by_hand(python, finding.path):
            yield finding


def _is_by_hand(python: PythonFiles, path: str) -> bool:
    file = python.get(path)
    served = file is not None and any(w in file.text for w in ("FastAPI(", "Flask(", "uvicorn", "APIRouter"))
    return is_script(path) or (file is not None and "__main__" in file.text and not served)


def _all(python: PythonFiles, managed: bool) -> Iterator[Finding]:
    for file in python.containing("create_all"):
        if NOT_THE_APP.search(file.path) or _is_for_sqlite(file):
            continue
        for call in file.calls:
            if _creates_all(call.node) and not guarded(file, call):
                yield from _findings(python, file, call, managed)


def _is_for_sqlite(file: PythonFile) -> bool:
    """Tell whether a file only ever speaks to SQLite, and takes no other address from outside."""
    if "sqlite" not in file.text or "postgres" in file.text:
        return False
    return not any(word in file.text for word in ("DATABASE_URL", "database_url", "DB_URL"))


def _creates_all(node: ast.Call) -> bool:
    if last_name(node) == "create_all":
        return isinstance(node.func, ast.Attribute) and "metadata" in ast.unparse(node.func.value).lower()
    return any(isinstance(a, ast.Attribute) and a.attr == "create_all" for a in node.args)


def _findings(python: PythonFiles, file: PythonFile, call: Call, managed: bool) -> Iterator[Finding]:
    function = call.function
    called = list(callers(python, file, function)) if function else []
    script = "__main__" in file.text
    starts_itself = function is None or _is_start(function)
    if not (called or starts_itself or script):
        return
    if managed and not starts_itself and not any(_starts(c) for _, c in called):
        return
    yield _finding(file.path, call.node.lineno, managed)
    entries = [(f, c) for f, c in called if _starts(c) and not NOT_THE_APP.search(f.path)]
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


def _starts(call: Call) -> bool:
    scope: Scope | None = call.function
    if scope is None:
        return True
    while scope is not None:
        if isinstance(scope, Function) and _is_start(scope):
            return True
        scope = scope.parent
    return False


def _is_start(function: Function) -> bool:
    if any(word in function.name.lower() for word in STARTS):
        return True
    return any(
        "on_event" in ast.unparse(d) or "asynccontextmanager" in ast.unparse(d) for d in function.decorators
    )
