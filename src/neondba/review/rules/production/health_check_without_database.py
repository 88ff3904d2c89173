"""The health check answers without asking the database.

The platform sends users to an instance that cannot serve one request, and a rollout with a wrong
address counts as healthy. A check of readiness runs one small statement. The check of liveness, which
decides about restarts, should go without.

## Instead
```python bad path=app/main.py case=blind
from fastapi import FastAPI
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

app = FastAPI()
engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)

@app.get("/health")
def health():  # <- finding
    return {"status": "ok"}
```
```python bad path=app/health.py case=prefix
from fastapi import APIRouter

router = APIRouter(prefix="/health")

@router.get("/")
def check():  # <- finding
    return {"status": "healthy"}
```
```python bad path=app/db.py case=prefix
from sqlmodel import create_engine
from app.settings import settings  # postgresql://

engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)
```
```python good path=app/main.py case=asks
from fastapi import FastAPI
from sqlmodel import create_engine, text
from app.settings import settings  # postgresql://

app = FastAPI()
engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)

@app.get("/health")
def health():
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    return {"status": "ok"}
```
```typescript bad path=src/app/api/health/route.ts case=script
export async function GET() { // <- finding
  return Response.json({ status: "ok" });
}
```
```prisma bad path=prisma/schema.prisma case=script
model Order {
  id String @id
}
```
## When it does not matter
A check of liveness beside one of readiness that asks, and programs without a database:
```python good path=app/main.py case=beside
from fastapi import Depends, FastAPI
from sqlmodel import Session, create_engine, text
from app.db import get_session
from app.settings import settings  # postgresql://

app = FastAPI()
engine = create_engine(settings.DATABASE_URL, pool_pre_ping=True)

@app.get("/health")
def health():
    return {"status": "ok"}

@app.get("/health/ready")
def ready(session: Session = Depends(get_session)):
    session.exec(text("select 1"))
    return {"status": "ok"}
```
```typescript good path=src/server.ts case=script
app.get("/health", (req, res) => res.json({ status: "ok" }));
app.get("/health/ready", async (req, res) => {
  await prisma.$queryRaw`SELECT 1`;
  res.json({ status: "ok" });
});
```
```prisma good path=prisma/schema.prisma case=script
model Order {
  id String @id
}
```
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.engines import Engines
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.schema import Schema
from neondba.project.services import Services
from neondba.project.typescript import nodes as script
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._probes import asks, probes
from neondba.review.rules.production._shared import apps, receiver, route_of

DEEPEST = 3
_PATH = re.compile(r"/?(?:[\w/-]*/)?(?:health(?:z|[-_]?check)?|ready|readyz|readiness)(?:/\w+)?/?$")
_PROBE = re.compile(r"health|ready|readiness", re.IGNORECASE)
_ALIVE = re.compile(r"/(?:live|liveness|livez|startup|ping)/?$")
_ASKS = re.compile(
    r"session|engine|execute|connect|database|\bdb\b|\bdb_|_db\b|ping|pool|select", re.IGNORECASE
)


@rule("NDB904", Category.PRODUCTION, Severity.LOW)
def check(
    python: PythonFiles, engines: Engines, services: Services, scripts: TypeScriptFiles, schema: Schema
) -> Iterator[Finding]:
    """Report one health check a file if none of the program's asks."""
    yield from _in_scripts(services, scripts, schema)
    with_database = {services.of(engine.path).folder for engine in engines.of_apps(services)}
    checks: dict[str, list[tuple[PythonFile, Function, str]]] = defaultdict(list)
    asking: set[str] = set()
    for file in apps(python, "/health", "/ready", "-health", "ealth check"):
        for function in file.functions:
            path = route_of(function)
            path = path if path is None else _prefix(file, function) + path
            if not path:
                continue
            if _PROBE.search(path) and _asks(python, file, function):
                asking.add(services.of(file.path).folder)
            elif (_PATH.fullmatch(path) or _is_called_so(function)) and not _ALIVE.search(path):
                checks[services.of(file.path).folder].append((file, function, path))
    for folder, found in checks.items():
        if folder in with_database and folder not in asking:
            for file, function, path in {f.path: (f, g, p) for f, g, p in reversed(found)}.values():
                snippet = 'session.execute(text("select 1"))'
                yield _finding(file.path, function.line, f"{function.name}()", path, snippet)


def _prefix(file: PythonFile, function: Function) -> str:
    """Give what the router of a route puts before its path."""
    for decorator in function.decorators:
        name = receiver(decorator) if isinstance(decorator, ast.Call) else ""
        router = file.own_names.get(name)
        for keyword in router.keywords if isinstance(router, ast.Call) else ():
            if keyword.arg == "prefix" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return ""


def _is_called_so(function: Function) -> bool:
    """Tell whether a route's docstring begins with what it is."""
    said = ast.get_docstring(function.node) or ""
    return said.lower().startswith(("health check", "healthcheck"))


def _in_scripts(services: Services, files: TypeScriptFiles, schema: Schema) -> Iterator[Finding]:
    folders = {services.of(t.path).folder for t in schema.tables if t.source in ("prisma", "drizzle")}
    found: dict[str, list[tuple[TypeScriptFile, script.Function, str]]] = defaultdict(list)
    for probe in probes(files) if folders else ():
        found[services.of(probe[0].path).folder].append(probe)
    for folder, several in found.items():
        if folder in folders and not any(asks(handler) for _, handler, _ in several):
            for file, handler, path in {f.path: (f, g, p) for f, g, p in reversed(several)}.values():
                name = f"{handler.name}()" if handler.name else "the handler"
                yield _finding(file.path, handler.line, name, path, "await prisma.$queryRaw`SELECT 1`;")


def _finding(file: str, line: int, name: str, path: str, snippet: str) -> Finding:
    return Finding(
        file,
        line,
        f"{path} says that all is well while the database cannot be reached: users are sent to an instance "
        "that fails "
        "every request.",
        steps=(f"Run one small statement in {name}, and answer 503 when it fails.",),
        snippet=snippet,
    )


def _asks(python: PythonFiles, file: PythonFile, function: Function, depth: int = 0) -> bool:
    """Tell whether a function asks the database, itself or through the project's functions."""
    for call in function.calls if depth < DEEPEST else ():
        found = python.definition(file.resolve(call.func))
        if found and isinstance(found[1], Function) and _asks(python, found[0], found[1], depth + 1):
            return True
    code = [
        ast.unparse(node)
        for node in function.node.body
        if not isinstance(getattr(node, "value", None), ast.Constant)
    ]
    arguments = ast.unparse(function.node.args)
    called = " ".join(re.findall(r"[\w.]+(?=\()", " ".join(code)))
    return bool(_ASKS.search(arguments) or _ASKS.search(called))
