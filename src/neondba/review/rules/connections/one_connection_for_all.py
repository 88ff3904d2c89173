"""All requests share one connection.

StaticPool hands the same connection to everybody: it is made for SQLite in memory. On Postgres the statements
of several requests mix in one transaction, one request's rollback takes back another's rows, and when the
server closes that connection nothing replaces it until the program is started again.

## Instead
```python bad path=app/db.py
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

engine = create_engine("postgresql://localhost/shop", poolclass=StaticPool)  # <- finding
```
```python good path=app/db.py
from fastapi import FastAPI
from sqlalchemy import create_engine

engine = create_engine("postgresql://localhost/shop", pool_pre_ping=True, pool_recycle=300)
```
## When it does not matter
SQLite, tests, and a condition that keeps it for SQLite:
```python good path=app/db.py case=sqlite
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

URL = "postgresql://localhost/shop"
engine = create_engine(URL, poolclass=StaticPool if URL.startswith("sqlite") else None)
memory = create_engine("sqlite://", poolclass=StaticPool)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.engines import Engines
from neondba.project.services import Services
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.connections._shared import address_of


@rule("NDB221", Category.POOLING, Severity.MEDIUM)
def check(engines: Engines, services: Services) -> Iterator[Finding]:
    """Report engines for Postgres with a pool of one shared connection."""
    for engine in engines.of_apps(services):
        if engine.pool_class == "StaticPool":
            yield Finding(
                engine.path,
                engine.keywords["poolclass"].lineno,
                f"All requests share one connection to {address_of(engine)}: their statements mix in one "
                "transaction, and when the server closes it every request fails until a restart.",
                steps=("Leave poolclass out, and add pool_pre_ping=True and pool_recycle=300.",),
                snippet="pool_pre_ping=True, pool_recycle=300",
            )
