"""The pools of all workers together want more connections than the database has.

Each worker has a pool of its own; `pool_size` and `max_overflow` count for each. The smallest Neon
compute takes 97 clients at its direct address. Under load the last workers get `remaining connection
slots are reserved`, while connections of the others lie idle.

## Instead
```python bad path=app/db.py case=many
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=20, max_overflow=30, pool_pre_ping=True)  # <- finding
```
```text bad path=Procfile case=many
web: uvicorn app.main:app --workers 4
```
```python good path=app/db.py case=fits
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=5, max_overflow=5, pool_pre_ping=True)
```
```text good path=Procfile case=fits
web: uvicorn app.main:app --workers 4
```
## When it does not matter
An address of the pooler, which takes ten thousand clients, and pools that keep nothing:
```bash good path=.env.example case=pooled
DATABASE_URL=postgresql://user:password@ep-example-pooler.eu.aws.neon.tech/shop
```
```python good path=app/db.py case=pooled
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_size=50, max_overflow=100, pool_pre_ping=True)
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.neon.limits import SMALLEST, Size
from neondba.project.addresses import Addresses
from neondba.project.engines import Engine, Engines
from neondba.project.services import Services
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import (
    address_of,
    kept_settings,
    shows_pooler,
    with_settings,
)

MOST = Size(SMALLEST, SMALLEST).usable_connections
"""Clients of the smallest compute, at its direct address."""
_WORKERS = re.compile(r"(?:--workers[= ]|-w[= ]|WEB_CONCURRENCY[=: ]+[\"']?)[\"', ]*(?P<count>\d{1,3})\b")
_STARTS = (
    "Procfile",
    "Dockerfile",
    "gunicorn.conf.py",
    "railway.json",
    "railway.toml",
    "fly.toml",
    "render.yaml",
)


@rule("NDB211", Category.POOLING, Severity.MEDIUM)
def check(engines: Engines, services: Services, addresses: Addresses, tree: Tree) -> Iterator[Finding]:
    """Report pools that are larger than the smallest compute allows."""
    if shows_pooler(addresses):
        return
    for engine in engines.of_apps(services):
        if (
            engine.kind != "sqlalchemy"
            or engine.pool_class in ("NullPool", "StaticPool")
            or not engine.is_complete
        ):
            continue
        size, overflow = _numbers(engine)
        workers = _workers(tree, services, engine)
        if size is not None and overflow is not None and (size + overflow) * workers > MOST:
            yield _finding(engine, size, overflow, workers)


def _numbers(engine: Engine) -> tuple[int | None, int | None]:
    size = engine.number("pool_size") if "pool_size" in engine.keywords else 5
    return size, engine.number("max_overflow") if "max_overflow" in engine.keywords else 10


def _workers(tree: Tree, services: Services, engine: Engine) -> int:
    most = 1
    for path in tree.named(*_STARTS, suffix=(".yml", ".yaml", ".sh")):
        text = tree.text(path) or ""
        if services.of(path) is services.of(engine.path) and re.search(
            r"uvicorn|gunicorn|WEB_CONCURRENCY|fastapi", text
        ):
            most = max([most, *(int(found["count"]) for found in _WORKERS.finditer(text))])
    return most


def _finding(engine: Engine, size: int, overflow: int, workers: int) -> Finding:
    each = f"{size} + {overflow}" if overflow else str(size)
    total = (size + overflow) * workers
    fits = max(1, MOST // workers // 2)
    return Finding(
        engine.path,
        engine.line,
        f"{workers} worker{'s' if workers > 1 else ''} with {each} connections for {address_of(engine)} want "
        f"{total}; the "
        f"smallest Neon compute takes {MOST} at its direct address, and refuses the rest.",
        steps=(
            f"Lower the pool in {engine.path} so that all workers fit, or use the pooled address (-pooler in "
            "the host).",
        ),
        snippet=with_settings(
            engine,
            f"pool_size={fits}",
            f"max_overflow={fits}",
            *kept_settings(engine, "pool_size", "max_overflow"),
        ),
    )
