"""The engine prints every statement with its values.

`echo=True` writes each query and its parameters to the log: names, addresses, tokens of users. It
also costs time at every statement. What helps at a desk must not be on where users are.

## Instead
```python bad path=app/db.py case=always
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=True)  # <- finding
```
```python good path=app/db.py case=always
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=settings.DEBUG)
```
```python fixed path=app/db.py case=always
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL)
```
## When it does not matter
Echo bound to a setting, tests, scripts and SQLite:
```python good path=app/db.py case=bound
import os
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, echo=os.getenv("SQL_ECHO") == "1")
cache = create_engine("sqlite://", echo=True)
```
```python good path=tests/conftest.py case=tests
from sqlmodel import create_engine

engine = create_engine("postgresql://localhost/test", echo=True)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.engines import Engines
from neondba.review.editing import without_keyword
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB901", Category.PRODUCTION, Severity.MEDIUM)
def check(engines: Engines) -> Iterator[Finding]:
    """Report engines that always echo."""
    for engine in engines.all:
        echo = engine.keywords.get("echo")
        always = isinstance(echo, ast.Constant) and echo.value in (True, "debug")
        if always and engine.is_of_the_app and engine.backend != "sqlite":
            yield Finding(
                engine.path,
                engine.line,
                f"{engine.path} logs every statement with its values, in production too: what users entered "
                "stands in "
                "the log.",
                steps=(f"Bind echo to a setting that is off by default, in {engine.path}.",),
                snippet='echo=os.getenv("SQL_ECHO") == "1"',
                edits=without_keyword(engine.path, engine.file.text, engine.call, "echo"),
            )
