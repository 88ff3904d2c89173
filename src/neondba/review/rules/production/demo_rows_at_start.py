"""Each start inserts invented rows.

The program fills tables with demo rows when it starts, whatever database it is given: production gets people
and orders that do not exist, each worker and each restart may add them once more, and a start on an empty
database fails when the rows refer to others that are not there.

## Instead
```python bad path=app/main.py case=start
from contextlib import asynccontextmanager
from fastapi import FastAPI
from app.seed import populate_leads

@asynccontextmanager
async def lifespan(app: FastAPI):
    await populate_leads()  # <- finding
    yield

app = FastAPI(lifespan=lifespan)
```
```python bad path=app/seed.py case=start
async def populate_leads():
    async with async_session() as session:
        session.add_all([Lead(name="Ada") for _ in range(500)])
        await session.commit()
```
```python good path=scripts/seed.py
import asyncio
from app.seed import populate_leads

asyncio.run(populate_leads())
```
## When it does not matter
Only where the environment says so, and rows that every installation needs:
```python good path=app/main.py case=guarded
from contextlib import asynccontextmanager
from fastapi import FastAPI
from app.config import settings
from app.seed import seed_demo_data, seed_roles

@asynccontextmanager
async def lifespan(app: FastAPI):
    seed_roles()
    if settings.ENVIRONMENT == "development":
        seed_demo_data()
    yield

app = FastAPI(lifespan=lifespan)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted

_DEMO = re.compile(
    r"(?:^|_)(?:populate|fake|demo|sample|dummy|mock)(?:_|$)|^seed_(?:data|database|db|users?|tasks?|products?)$",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"role|permission|categor|countr|currenc|admin|superuser|setting|plan|index|cache", re.IGNORECASE
)
_GUARD = re.compile(r"env|debug|dev|local|demo|seed|count|exist|first|empty|not ", re.IGNORECASE)


@rule("NDB921", Category.PRODUCTION, Severity.MEDIUM)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report the first call of each start that makes up rows without asking where it is."""
    for file in apps(python, "lifespan", "on_event", "add_event_handler"):
        for function in file.functions:
            said = " ".join(ast.unparse(d) for d in function.decorators)
            if ("asynccontextmanager" in said and "lifespan" in function.name) or "startup" in said:
                found = _made_up(python, file, function)
                if found is not None:
                    yield _finding(file.path, *found)


def _made_up(python: PythonFiles, file: PythonFile, function: Function) -> tuple[int, str] | None:
    """Give the call of a function that adds rows by the name of demo rows, outside of a condition."""
    guarded = {
        id(inner)
        for node in function.nodes
        if isinstance(node, ast.If) and _GUARD.search(ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    for call in function.calls:
        name = dotted(call.func).rpartition(".")[2]
        if id(call) in guarded or not _DEMO.search(name) or _NEEDED.search(name):
            continue
        meant = python.definition(file.resolve(call.func))
        made = meant[1] if meant is not None else None
        if isinstance(made, Function):
            text = ast.unparse(made.node)
            adds = any(word in text for word in (".add(", ".add_all(", "insert(", "bulk_save", "bulk_insert"))
            where = r"\bif\b[^\n]*(?:environ|\benv\b|debug|settings\.)"
            empty = r"|\bif\b[^\n]*(?:count|exist|first\(\)|\bnot\b)" if name.startswith("seed") else ""
            asks = re.search(where + empty, text, re.IGNORECASE)
            if adds and not asks:
                return call.lineno, name
    return None


def _finding(path: str, line: int, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"Each start runs {name}(), which inserts invented rows into whatever database is configured, "
        "production too, and once more with each restart.",
        steps=(
            f"Run {name}() from a script of its own.",
            "Or ask the environment first, and whether rows are there.",
        ),
        snippet=f'if settings.ENVIRONMENT == "development":\n    {name}()',
    )
