"""The pool hands out connections without testing that they still live.

Neon suspends an idle compute and closes its connections; other services close them when they fail
over or idle too long. The pool does not notice: the first requests afterwards get a dead connection
and answer with an error, until the pool has thrown all of them away.

## Instead
```python bad path=app/db.py case=plain
from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=5)  # <- finding
```
```python good path=app/db.py case=plain
from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=5, pool_pre_ping=True, pool_recycle=300)
```
```python fixed path=app/db.py case=plain
from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=5, pool_pre_ping=True, pool_recycle=300)
```
A call over several lines keeps its shape:
```python bad path=app/db.py case=long
from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(  # <- finding
    settings.DATABASE_URL,
    pool_size=5  # one worker
)
```
```python fixed path=app/db.py case=long
from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(
    settings.DATABASE_URL,
    pool_size=5,  # one worker
    pool_pre_ping=True,
    pool_recycle=300,
)
```
Where the settings are collected first, that is where this one is missing:
```python bad path=app/db.py case=collected
from fastapi import FastAPI
from sqlalchemy import create_engine
from app.settings import settings  # postgresql://

options = {"echo": False}
if settings.is_large:
    options.update({"pool_size": 20})  # <- finding
engine = create_engine(settings.DATABASE_URL, **options)
```
## When it does not matter
Pools that keep nothing, settings collected in a dictionary, SQLite, scripts and migrations:
```python good path=app/db.py case=gathered
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from app.settings import settings  # postgresql://

options = {"pool_size": 5}
options["pool_pre_ping"] = True
if settings.DATABASE_URL.startswith("sqlite"):
    engine = create_engine(settings.DATABASE_URL)
else:
    engine = create_engine(settings.DATABASE_URL, **options)
reports = create_engine(settings.REPORT_URL, poolclass=NullPool)
other = create_engine(settings.OTHER_URL, poolclass=NullPool if "postgres" in settings.OTHER_URL else None)
```
```python good path=scripts/import_orders.py case=script
from fastapi import FastAPI
from sqlalchemy import create_engine

engine = create_engine("postgresql://localhost/shop")
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.engines import Engine, Engines
from neondba.project.python import PythonFiles
from neondba.project.services import Services
from neondba.review.editing import with_keywords
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import address_of, kept_settings, with_settings

_KEEPS_NOTHING = frozenset({"NullPool", "StaticPool", "AssertionPool", "SingletonThreadPool"})


@rule("NDB210", Category.POOLING, Severity.HIGH)
def check(engines: Engines, services: Services, python: PythonFiles) -> Iterator[Finding]:
    """Report engines of long-running programs whose pool is not tested."""
    for engine in engines.of_apps(services):
        if engine.kind == "sqlalchemy" and engine.is_complete and not _is_tested(engine):
            if _is_idle(python, engine):
                continue
            yield _finding(engine, services.uses_neon(engine.path))


def _is_idle(python: PythonFiles, engine: Engine) -> bool:
    """Tell whether nobody names the engine after it was made: it never connects."""
    body = engine.file.tree.body if engine.file.tree else []
    made = [n for n in body if isinstance(n, ast.Assign) and n.value is engine.call]
    names = [n.targets[0].id for n in made if isinstance(n.targets[0], ast.Name)]
    if not names or names[0] in ("engine", "db"):
        return False  # Such a name may be reached in ways that are not written out.
    return sum(len(re.findall(rf"\b{names[0]}\b", f.text)) for f in python.containing(names[0])) == 1


def _is_tested(engine: Engine) -> bool:
    ping = engine.keywords.get("pool_pre_ping")
    if ping is not None and not (isinstance(ping, ast.Constant) and not ping.value):
        return True
    if _kept(engine) in _KEEPS_NOTHING or {"pool", "creator", "async_creator"} & engine.keywords.keys():
        return True
    recycle = engine.number("pool_recycle")
    return recycle is not None and 0 < recycle <= 300


def _kept(engine: Engine) -> str:
    """Give the class of the pool on Postgres: a condition may choose it by the kind of database."""
    given = engine.keywords.get("poolclass")
    if not isinstance(given, ast.IfExp):
        return engine.pool_class
    said = ast.unparse(given.test).lower()
    chosen = given.orelse if "sqlite" in said or "test" in said else given.body
    return (engine.file.resolve(chosen) or "").rpartition(".")[2]


def _finding(engine: Engine, neon: bool) -> Finding:
    missing = {
        name: value
        for name, value in (("pool_pre_ping", "True"), ("pool_recycle", "300"))
        if name not in engine.keywords or name == "pool_pre_ping"
    }
    why = "Neon has suspended the compute" if neon else "the server has restarted or closed idle connections"
    return Finding(
        engine.path,
        _place(engine),
        f"After {why}, the pool for {address_of(engine)} hands dead connections to requests: the first ones "
        "fail.",
        steps=(f"Add pool_pre_ping=True, and pool_recycle=300, to {engine.factory} in {engine.path}.",),
        snippet=with_settings(
            engine,
            *kept_settings(engine, "pool_pre_ping", "pool_recycle"),
            "pool_pre_ping=True",
            "pool_recycle=300",
        ),
        severity=None if neon else Severity.MEDIUM,
        edits=with_keywords(engine.path, engine.file.text, engine.call, **missing),
    )


def _place(engine: Engine) -> int:
    """Give the line of the pool's other settings: they may be collected before the call."""
    given = [
        v.lineno
        for name, v in engine.keywords.items()
        if name in ("pool_size", "max_overflow", "pool_timeout")
    ]
    outside = [line for line in given if line < engine.line]
    return min(outside, default=engine.line)
