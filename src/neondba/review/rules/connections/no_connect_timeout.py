"""A connection attempt may wait for as long as it likes.

A suspended Neon compute wakes in a few hundred milliseconds; a network that swallows packets never
answers. libpq has no limit of its own and asyncpg waits a minute, and all that time the request and
its worker hang. A limit of ten seconds leaves room for the wake-up and turns a hang into an error
that can be retried.

## Instead
```python bad path=app/db.py case=psycopg
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)  # <- finding
```
```python good path=app/db.py case=psycopg
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(
    settings.DATABASE_URL, pool_pre_ping=True, connect_args={"connect_timeout": 10}
)
```
```python fixed path=app/db.py case=psycopg
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True, connect_args={"connect_timeout": 10})
```
```python good path=app/db.py case=asyncpg
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
from app.settings import settings  # postgresql+asyncpg://

engine = create_async_engine(settings.DATABASE_URL, pool_pre_ping=True, connect_args={"timeout": 10})
```
## When it does not matter
A limit in the address, arguments that come from elsewhere, scripts and SQLite:
```python good path=app/db.py case=elsewhere
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import connect_args, settings  # postgresql://

engine = create_engine("postgresql://localhost/shop?connect_timeout=10", pool_pre_ping=True)
second = create_engine(settings.REPORT_URL, pool_pre_ping=True, connect_args=connect_args)
cache = create_engine("sqlite:///cache.db")
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.engines import Engine, Engines
from neondba.project.places import is_test
from neondba.project.python import PythonFiles
from neondba.project.services import Services
from neondba.project.tree import Tree
from neondba.review.editing import with_keywords
from neondba.review.finding import Category, Edit, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import address_of, kept_settings, with_settings


@rule("NDB203", Category.CONNECTION, Severity.LOW)
def check(engines: Engines, services: Services, tree: Tree, python: PythonFiles) -> Iterator[Finding]:
    """Report engines of long-running programs without a limit on connecting."""
    shipped = any("connect_timeout=" in (tree.text(p) or "") for p in tree.paths if "/.env" in f"/{p}")
    seen = set()
    for engine in engines.of_apps(services):
        if engine.path in seen:
            continue
        if engine.kind != "sqlalchemy" or not engine.is_complete or not engine.connect_args_known or shipped:
            continue
        if {
            "creator",
            "async_creator",
            "module",
        } & engine.keywords.keys() or "connect_timeout" in engine.file.text:
            continue
        if engine.connect_argument("connect_timeout", "timeout") is None:
            seen.add(engine.path)
            yield _finding(engine, _edits(engine, python))


def _edits(engine: Engine, python: PythonFiles) -> tuple[Edit, ...]:
    """Add the limit where it is sure which driver gets it: others refuse what they do not know."""
    is_async = engine.factory == "create_async_engine"
    others = any(not is_test(file.path) for word in ("sqlite", "pg8000") for file in python.containing(word))
    if engine.factory not in ("create_engine", "create_async_engine") or others:
        return ()
    if is_async != ("asyncpg" in engine.file.text):
        return ()
    limit = '{"timeout": 10}' if is_async else '{"connect_timeout": 10}'
    return with_keywords(engine.path, engine.file.text, engine.call, connect_args=limit)


def _finding(engine: Engine, edits: tuple[Edit, ...]) -> Finding:
    asyncpg = "asyncpg" in engine.file.text
    argument = "timeout" if asyncpg else "connect_timeout"
    long = "for a minute" if asyncpg else "for minutes"
    arguments = engine.keywords.get("connect_args")
    elsewhere = isinstance(arguments, ast.IfExp) and "sqlite" in engine.file.text
    written = (
        arguments is not None
        and not elsewhere
        and engine.line <= arguments.lineno <= (engine.call.end_lineno or 0)
    )
    return Finding(
        engine.path,
        arguments.lineno if arguments is not None and written else engine.line,
        f"When {address_of(engine)} cannot be reached, each request that needs a connection hangs {long} "
        "before it fails.",
        steps=(f'Add connect_args={{"{argument}": 10}} to {engine.factory} in {engine.path}.',),
        snippet=with_settings(
            engine, *kept_settings(engine, "connect_args"), f'connect_args={{"{argument}": 10}}'
        ),
        edits=edits,
    )
