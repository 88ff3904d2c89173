"""One program keeps two pools for the same database.

Each engine has a pool of its own. Two of them use twice the connections, and objects from one
session cannot be used in the other's. Usually the second is left over from a move, and half of the
code still uses it: settings such as `pool_pre_ping` are then right in one place and missing in the
other.

## Instead
```python bad path=app/core/db.py case=two
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)
```
```python bad path=app/orders.py case=two
from app.core.db import engine
```
```python bad path=app/database.py case=two
from sqlmodel import create_engine
from app.settings import settings

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)  # <- finding
```
```python good path=app/database.py case=one
from app.core.db import engine
```
```python good path=app/core/db.py case=one
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)
```
One module may make it twice, as after a merge; what was made from the first keeps its pool:
```python bad path=app/db.py case=again
from fastapi import FastAPI
from sqlmodel import Session, create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)
session = Session(engine)

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)  # <- finding
```
## When it does not matter
Another database, a pool of another kind (one for handlers, one for a synchronous library), the two
branches of an `if`, and programs of their own in one repository:
```python good path=app/db.py case=kinds
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from app.settings import settings  # postgresql://

engine = create_async_engine(settings.DATABASE_URL, pool_pre_ping=True)
```
```python good path=app/reports.py case=kinds
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from app.settings import settings

reports = create_async_engine(settings.REPORTS_URL, pool_pre_ping=True)
admin = create_engine(settings.DATABASE_URL, pool_pre_ping=True)
```
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.engines import Engine, Engines
from neondba.project.python import PythonFiles
from neondba.project.services import Services
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_RUNS_ALONE = re.compile(r"\bFastMCP\(|\bCelery\(|__main__|\bScheduler\(")
"""Signs of a process of its own, which needs a pool of its own."""


@rule("NDB212", Category.POOLING, Severity.MEDIUM)
def check(engines: Engines, services: Services, python: PythonFiles) -> Iterator[Finding]:
    """Report every engine of a program but the most used one."""
    groups: dict[tuple[str, str, str], dict[str, Engine]] = defaultdict(dict)
    yield from _twice(list(engines.of_apps(services)))
    for engine in engines.of_apps(services):
        variable = _variable(engine)
        if engine.kind == "sqlalchemy" and variable and not _RUNS_ALONE.search(engine.file.text):
            group = (services.of(engine.path).folder, engine.factory, variable)
            groups[group].setdefault(engine.path, engine)
    for (_, _, variable), by_path in groups.items():
        if len(by_path) < 2:
            continue
        uses = {path: _uses(python, path) for path in by_path}
        main = max(by_path, key=lambda path: (uses[path], -len(path)))
        for path, engine in by_path.items():
            if path != main:
                yield _finding(engine, main, variable)


def _twice(engines: list[Engine]) -> Iterator[Finding]:
    """Find engines that one module makes under one name for one address: the first is lost."""
    known: dict[tuple[str, str, str, str], Engine] = {}
    for engine in engines:
        name = _name(engine)
        if engine.function is not None or not name or not _variable(engine):
            continue
        first = known.setdefault((engine.path, engine.factory, _variable(engine), name), engine)
        if first is not engine and not _in_branch(engine, first):
            yield Finding(
                engine.path,
                engine.line,
                f"{engine.path} makes {name} a second time; what was made from the one in line {first.line} "
                "keeps a pool of its own, and the program takes twice the connections.",
                steps=(f"Delete one of the two, and what hangs on it, in {engine.path}.",),
                snippet=f"{name} = {engine.factory}(...)  # once",
            )


def _name(engine: Engine) -> str:
    """Give the module's name that is assigned the engine."""
    for node in engine.scope.assignments:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if node.value is engine.call and isinstance(target, ast.Name):
            return target.id
    return ""


def _in_branch(engine: Engine, first: Engine) -> bool:
    """Tell whether one of two stands under a condition, so that only one is made."""
    return any(
        isinstance(node, ast.If | ast.Try) and node.lineno < e.line <= (node.end_lineno or 0)
        for e in (engine, first)
        for node in (e.file.tree.body if e.file.tree else ())
    )


def _variable(engine: Engine) -> str:
    """Give the last word of what the address is read from: `DATABASE_URL`."""
    url = engine.url
    while isinstance(url, ast.Call) and (url.args or isinstance(url.func, ast.Attribute)):
        inner = url.args[0] if url.args and not isinstance(url.func, ast.Attribute) else None
        url = inner or (url.func.value if isinstance(url.func, ast.Attribute) else None)
    name = url.attr if isinstance(url, ast.Attribute) else url.id if isinstance(url, ast.Name) else ""
    return name.upper().replace("ASYNC_", "")


def _uses(python: PythonFiles, path: str) -> int:
    """Count the files that import something from a module, by its whole name or the end of it."""
    module = f".{python[path].module}"
    return sum(
        any(
            module.endswith("." + origin.rpartition(".")[0])
            for origin in file.imports.values()
            if "." in origin
        )
        for file in python.containing(module.rpartition(".")[2])
        if file.path != path
    )


def _finding(engine: Engine, main: str, variable: str) -> Finding:
    module = main.removesuffix(".py").replace("/", ".")
    return Finding(
        engine.path,
        engine.line,
        f"{engine.path} makes a second engine for {variable}, beside the one in {main}: the program keeps "
        "two pools and takes twice the connections.",
        steps=(
            f"Import the engine of {main} where {engine.path} is used.",
            f"Delete the engine in {engine.path}.",
        ),
        snippet=f"from {module} import engine",
    )
