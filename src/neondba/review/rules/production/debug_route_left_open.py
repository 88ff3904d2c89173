"""A route for debugging is part of the program, and anybody may call it.

Such routes are written to look at one deployment and stay in all of them. They tell a stranger what is set
up, which cookies arrive and what the last error was, or set off work: mails, hashes, statements.

## Instead

```python bad path=app/main.py case=open
from fastapi import FastAPI
from app.config import settings

app = FastAPI()


@app.get("/debug/email-config")
async def debug_email_config():  # <- finding
    return {"host": settings.smtp_host, "address": settings.email_address}
```

```python good path=app/main.py case=open
from fastapi import FastAPI
from app.config import settings

app = FastAPI()

if settings.environment == "development":

    @app.get("/debug/email-config")
    async def debug_email_config():
        return {"host": settings.smtp_host, "address": settings.email_address}
```

```typescript bad path=src/app/api/debug/users/route.ts case=script
import { prisma } from "@/lib/prisma";

export async function GET() {  // <- finding
  return Response.json({ users: await prisma.user.count() });
}
```

```prisma bad path=prisma/schema.prisma case=script
model User {
  id String @id
}
```

## When it does not matter

It asks who is calling, answers in development only, or hangs on a router that nobody includes:

```python good path=app/debug.py case=asks
from fastapi import APIRouter, Depends, HTTPException
from app.auth import get_current_admin
from app.config import settings

router = APIRouter()


@router.get("/debug/session")
def session(admin=Depends(get_current_admin)):
    return {"id": admin.id}


@router.get("/debug/state")
def state():
    if not settings.debug:
        raise HTTPException(404)
    return {"state": "here"}
```

```python good path=app/auth.py case=asks
from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer
from jose import jwt

bearer = OAuth2PasswordBearer(tokenUrl="login")


def get_current_admin(token: str = Depends(bearer)):
    claims = jwt.decode(token, "…", algorithms=["HS256"])
    if not claims:
        raise HTTPException(401)
    return claims
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.python import PythonFiles
from neondba.project.routes import Route, Routes
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_DEBUG = re.compile(r"(?:^|[/_-])debug(?:$|[/_-])", re.IGNORECASE)
_ROUTE = re.compile(
    r"(?:^|/)app/(?:.*/)?(?:debug|[\w-]+-debug|debug-[\w-]+)/(?:.*/)?route\.[jt]s$|(?:^|/)pages/api/(?:.*/)?debug[\w-]*(?:/.*)?\.[jt]s$"
)
_EXPORT = re.compile(
    r"^export\s+(?:default\s+)?(?:async\s+)?(?:function\b|const\s+(?:GET|POST|PUT|DELETE)\b)", re.MULTILINE
)
_GUARDS = re.compile(
    r"environment|\benv\b|debug_mode|is_dev|is_prod|(?:settings|config|app|conf)(?:\(\))?\.debug\b|(?-i:\bDEBUG\b)|NODE_ENV|x-[\w-]*(?:key|token|secret)|(?<![\w])x_?api_?key|"
    r"authoriz\w+\s*[!=]=|verify_|require_|current_user|auth\(\)|getSession|getServerSession|currentUser|getAuth|"
    r"getToken|check_?admin|isAdmin|CRON_SECRET|\.status\(40[134]\)|status:\s*40[134]|HTTPException\(\s*(?:status_code\s*=\s*)?40[134]",
    re.IGNORECASE,
)
_TELLS = ("environ", "getenv", "model_dump", "process.env")
"""What another rule speaks of already."""


@rule("NDB931", Category.PRODUCTION, Severity.MEDIUM)
def check(routes: Routes, python: PythonFiles, tree: Tree) -> Iterator[Finding]:
    """Report the first such route of each file."""
    told: set[str] = set()
    for route in () if routes.has_guarding_middleware else routes.routes:
        named = _DEBUG.search(route.path) or _DEBUG.search(route.function.name)
        if named and route.file.path not in told and _is_open(route) and _is_included(route, python):
            told.add(route.file.path)
            yield _finding(route.file.path, route.line, route.path or f"{route.function.name}()")
    for path in tree.having((".ts", ".js"), ("debug", "export")):
        text = tree.text(path) or ""
        found = _EXPORT.search(text) if _ROUTE.search(path) and not is_test(path) else None
        if found and not _GUARDS.search(text) and not _asks_before(tree):
            yield _finding(path, text.count("\n", 0, found.start()) + 1, path)


def _is_open(route: Route) -> bool:
    if is_test(route.file.path) or is_script(route.file.path) or route.function.node.col_offset:
        return False
    if route.authentication is not None or (route.is_for_staff and "admin" in route.path):
        return False
    node = route.function.node
    code = ast.unparse(ast.Module([ast.Expr(d) for d in node.decorator_list[1:]] + node.body, []))
    code = f"{ast.unparse(node.args)}\n{code}"
    return not _GUARDS.search(code) and not any(word in code for word in _TELLS)


def _is_included(route: Route, python: PythonFiles) -> bool:
    """Tell whether the module of the route is the program's, or is named by another one."""
    stem = route.file.path.rpartition("/")[2].removesuffix(".py")
    if stem in ("main", "app", "__init__", "server", "index"):
        return True
    named = re.compile(rf"\bimport\b[^\n]*\b{stem}\b|\b{stem}\b[^\n]*\bimport\b")
    return any(f is not route.file and named.search(f.text) for f in python.containing(stem))


def _asks_before(tree: Tree) -> bool:
    """Tell whether a middleware of Next looks at all addresses."""
    return any(
        "auth" in (tree.text(p) or "").lower()
        for p in tree.named("middleware.ts", "middleware.js", "proxy.ts")
    )


def _finding(path: str, line: int, name: str) -> Finding:
    return Finding(
        path,
        line,
        f"Anybody on the internet can call {name}: it was made for debugging, and nothing asks who is "
        "calling or where it runs.",
        ("Remove the route, or register it in development only.",),
        'if settings.environment == "development":\n    app.include_router(debug_router)'
        if path.endswith(".py")
        else 'if (process.env.NODE_ENV === "production") return new Response(null, { status: 404 });',
    )
