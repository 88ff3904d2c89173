"""The address of the database stands in the program.

Every deployment, branch and developer then works with the one database that the text names, and only an edit
of the program changes that: a preview cannot have a branch of its own, and a deployed program looks for the
database on its own machine.

## Instead
```python bad path=app/db.py
from fastapi import FastAPI
from sqlalchemy import create_engine

DATABASE_URL = "postgresql://postgres:postgres@localhost:5432/shop"  # <- finding

engine = create_engine(DATABASE_URL, pool_pre_ping=True)
```
```python good path=app/db.py
import os
from fastapi import FastAPI
from sqlalchemy import create_engine

engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
```
## When it does not matter
Tests, scripts, a file of SQLite beside the program, and a text that the environment replaces:
```python good path=tests/db.py case=tests
from fastapi import FastAPI
from sqlalchemy import create_engine

engine = create_engine("postgresql://postgres:postgres@localhost:5432/test")
```
```python good path=app/db.py case=replaced
import os
from fastapi import FastAPI
from sqlalchemy import create_engine

DATABASE_URL = "postgresql://postgres:postgres@localhost:5432/shop"
if os.getenv("DATABASE_URL"):
    DATABASE_URL = os.environ["DATABASE_URL"]

engine = create_engine(DATABASE_URL, pool_pre_ping=True)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.engines import Engine, Engines
from neondba.project.services import Services
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import from_environment


@rule("NDB124", Category.ENV, Severity.MEDIUM)
def check(engines: Engines, services: Services) -> Iterator[Finding]:
    """Report engines whose address is a text of the program, once a file."""
    told: set[str] = set()
    for engine in engines.of_apps(services):
        found = _written(engine)
        if found is not None and engine.path not in told:
            told.add(engine.path)
            yield _finding(engine, found)


def _written(engine: Engine) -> ast.Constant | None:
    """Give the text that is an engine's only address."""
    url = engine.url
    if isinstance(url, ast.Name):
        module = engine.file.index.module
        places = [module, engine.scope] if engine.scope is not module else [module]
        values = [
            node.value
            for place in places
            for node in place.assignments
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and target.id == url.id
        ]
        url = values[0] if len(values) == 1 else None
    if isinstance(url, ast.Constant) and isinstance(url.value, str) and url.value.startswith("postgres"):
        return url
    return None


def _finding(engine: Engine, text: ast.Constant) -> Finding:
    return Finding(
        engine.path,
        text.lineno,
        f"{engine.path} works with the one database that its own text names, whatever the environment says: "
        "no deployment and no branch can have another.",
        steps=("Read the address from DATABASE_URL.", "Put the one for development into .env."),
        snippet=from_environment(engine.path, "DATABASE_URL"),
        evidence="the address is a text",
        masked=True,
    )
