"""An async session is opened with a plain `with`.

An `AsyncSession` has no `__enter__`: the line raises a TypeError each time it is reached. Inside `try` with
`except Exception` nobody hears of it, and what the block should have read or written never happens.

## Instead
```python bad path=app/audio.py case=plain
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine("postgresql+asyncpg://")
SessionLocal = async_sessionmaker(engine)

def path_of(call_id):
    with SessionLocal() as session:  # <- finding
        return session.get(Call, call_id)
```
```python good path=app/audio.py case=plain
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine("postgresql+asyncpg://")
SessionLocal = async_sessionmaker(engine)

async def path_of(call_id):
    async with SessionLocal() as session:
        return await session.get(Call, call_id)
```
## When it does not matter
Sessions that block are opened like that:
```python good path=app/audio.py case=blocking
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("postgresql+psycopg://"))

def path_of(call_id):
    with SessionLocal() as session:
        return session.get(Call, call_id)
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted


@rule("NDB914", Category.PRODUCTION, Severity.HIGH)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Find plain `with` blocks over async sessions."""
    if not any(python.containing("async_sessionmaker", "AsyncSession")):
        return
    for file in apps(python, "with "):
        for function in file.functions:
            for node in ast.walk(function.node):
                opened = node.items[0].context_expr if isinstance(node, ast.With) else None
                if not isinstance(opened, ast.Call):
                    continue
                found = python.definition(file.resolve(opened.func))
                if found is not None and isinstance(found[1], ast.Call) and _is_async(found[1]):
                    name = dotted(opened.func)
                    yield Finding(
                        file.path,
                        opened.lineno,
                        f"{function.name}() fails whenever it gets here: {name}() makes an async session, "
                        "which a plain with cannot open.",
                        steps=("Write async with in an async function, and await what the session does.",),
                        snippet=f"async with {name}() as session:",
                    )


def _is_async(made: ast.Call) -> bool:
    name = dotted(made.func).rpartition(".")[2]
    kinds = [dotted(k.value).rpartition(".")[2] for k in made.keywords if k.arg == "class_"]
    return name == "async_sessionmaker" or (name == "sessionmaker" and "AsyncSession" in kinds)
