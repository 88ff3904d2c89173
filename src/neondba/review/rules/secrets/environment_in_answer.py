"""A route answers with the environment, or with a secret out of it.

Whoever finds the address has the password of the database and the key that signs the tokens: such routes
are written to look at one deployment and stay in all of them. The first characters of a key are told, too,
and say whose it is and how long a guess has to be.

## Instead
```python bad path=app/main.py case=whole
import os
from fastapi import FastAPI

app = FastAPI()

@app.get("/debug/verification")
def verification():
    return {
        "folder": os.getcwd(),
        "environment": dict(os.environ),  # <- finding
    }
```
```python bad path=app/main.py case=one
import os
from fastapi import FastAPI
from app.config import settings

app = FastAPI()

@app.get("/api/debug-env")
async def debug_env():
    key = os.getenv("OPENAI_API_KEY")
    return {
        "key": key[:6] if key else None,  # <- finding
    }


@app.get("/config")
async def configuration():
    return settings.model_dump()  # <- finding
```
```python good path=app/main.py case=one
import os
from fastapi import FastAPI

app = FastAPI()

@app.get("/api/debug-env")
async def debug_env():
    key = os.getenv("OPENAI_API_KEY")
    return {"key_is_set": key is not None, "database": bool(os.getenv("DATABASE_URL"))}
```
## When it does not matter
Values that are meant for everybody, and what only says whether something is set:
```python good path=app/main.py case=public
import os
from fastapi import FastAPI
from app.config import settings

app = FastAPI()

@app.get("/config")
def config():
    return {
        "version": os.getenv("APP_VERSION", "dev"),
        "stripe": settings.STRIPE_PUBLISHABLE_KEY,
        "minutes": settings.ACCESS_TOKEN_EXPIRE_MINUTES,
        "masked": mask(settings.DATABASE_URL),
    }
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.places import is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_ROUTE = re.compile(r"@\w+\.(?:get|post|put|patch|delete|api_route|route)\(")
_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "api_route", "route"})
_SECRET = re.compile(
    r"SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|(?:DATABASE|DB|POSTGRES|REDIS|MONGO\w*)_(?:URL|URI|DSN)|"
    r"CREDENTIAL|SIGNING_KEY|ENCRYPTION_KEY|CONNECTION_STRING",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"PUBLIC|PUBLISHABLE|EXPIR|MINUTES|HOURS|DAYS|SECONDS|TTL|ALGORITHM|TOKEN_UR|_ID$|_NAME$|LENGTH|MAX_|MIN_|MAPS|"
    r"SITE_KEY|ANON|TOKENS$|TYPE$|HEADER",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"^(?:app_)?(?:settings|config|configuration|conf)$", re.IGNORECASE)
_PASSES = frozenset(
    {"dict", "str", "repr", "list", "jsonify", "JSONResponse", "Response", "PlainTextResponse"}
)
_WHOLE = "its whole environment"
_ALL = "all of its settings"


@rule("NDB123", Category.SECRET, Severity.HIGH)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Look at what routes return, through the variables of the function."""
    for file in python.containing("environ", "getenv", "settings.", "config."):
        if is_test(file.path) or is_script(file.path) or not _ROUTE.search(file.text):
            continue
        for function in file.functions:
            if not any(_is_route(d) for d in function.decorators):
                continue
            told = (t for r in function.returns if r.value for t in _told(file, function, r.value))
            worst = min(told, key=lambda t: (t[1] not in (_WHOLE, _ALL), t[0]), default=None)
            if worst is not None:
                yield _finding(file, function, *worst)


def _is_route(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in _ROUTES
    )


def _told(file: PythonFile, function: Function, node: ast.expr, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Give the lines of an answer that carry secrets, and what they carry."""
    if depth > 6:
        return
    if isinstance(node, ast.Name):
        for value in _values(file, function, node.id):
            yield from ((node.lineno, what) for _, what in _told(file, function, value, depth + 1))
        return
    what = _whole(file, node) or _one(file, node)
    if what:
        yield node.lineno, what
        return
    for part in _parts(node):
        yield from _told(file, function, part, depth + 1)


def _values(file: PythonFile, function: Function, name: str) -> list[ast.expr]:
    """Give what a name was set to: in the function, else in its file."""
    found = [
        a.value
        for a in function.assignments
        if a.value is not None and name in {t.id for t in _targets(a) if isinstance(t, ast.Name)}
    ]
    if found or any(p.name == name for p in function.parameters):
        return found
    own = file.own_names.get(name)
    return [own] if isinstance(own, ast.expr) and not isinstance(own, ast.Name) else []


def _targets(node: ast.AST) -> list[ast.expr]:
    return (
        node.targets if isinstance(node, ast.Assign) else [t] if (t := getattr(node, "target", None)) else []
    )


def _parts(node: ast.expr) -> list[ast.expr]:
    """Give what of an expression reaches its value."""
    if isinstance(node, ast.Dict):
        return [v for v in node.values if v is not None]
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, ast.JoinedStr):
        return [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return [node.value]
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _PASSES:
            return [*node.args, *(k.value for k in node.keywords)]
    return []


def _whole(file: PythonFile, node: ast.expr) -> str:
    """Tell whether an expression is the environment, or all settings."""
    if isinstance(node, (ast.DictComp, ast.ListComp)):
        source = node.generators[0]
        given = node.value if isinstance(node, ast.DictComp) else node.elt
        names = {n.id for n in ast.walk(source.target) if isinstance(n, ast.Name)}
        plain = isinstance(given, ast.Name) and given.id in names and not source.ifs
        over = source.iter.func if isinstance(source.iter, ast.Call) else None
        return _whole(file, over.value) if plain and isinstance(over, ast.Attribute) else ""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "copy":
            return _whole(file, node.func.value)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("dict", "model_dump"):
            kept = any(k.arg in ("include", "exclude") for k in node.keywords)
            return _ALL if _is_settings(file, node.func.value) and not kept else ""
        if getattr(node.func, "id", "") == "vars" and node.args:
            return _ALL if _is_settings(file, node.args[0]) else ""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return _ALL if _is_settings(file, node.value) else ""
    return _WHOLE if file.resolve(node) == "os.environ" else ""


def _one(file: PythonFile, node: ast.expr) -> str:
    """Give the name of the secret that an expression reads; empty if it reads none."""
    name: object = ""
    if isinstance(node, ast.Subscript) and file.resolve(node.value) == "os.environ":
        name = node.slice.value if isinstance(node.slice, ast.Constant) else ""
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        if file.resolve(node.func) in ("os.getenv", "os.environ.get"):
            name = node.args[0].value
    elif isinstance(node, ast.Attribute) and _is_settings(file, node.value):
        name = node.attr
    if isinstance(name, str) and _SECRET.search(name) and not _HARMLESS.search(name):
        return name
    return ""


def _is_settings(file: PythonFile, node: ast.expr) -> bool:
    """Tell whether a name of the module, not a row or a parameter, holds the settings."""
    if isinstance(node, ast.Call):
        node = node.func
        return (file.resolve(node) or "").rpartition(".")[2] in ("get_settings", "Settings")
    return isinstance(node, ast.Name) and bool(_SETTINGS.match(node.id)) and (
        node.id in file.imports or node.id in file.own_names
    )  # fmt: skip


def _finding(file: PythonFile, function: Function, line: int, what: str) -> Finding:
    whole = what in (_WHOLE, _ALL)
    name = "DATABASE_URL" if whole else what
    return Finding(
        file.path,
        line,
        f"{function.name}() answers whoever asks with {what if whole else f'the value of {what}'}"
        f"{', passwords and signing keys with it' if whole else ', or a part of it'}.",
        steps=(
            "Remove the route, or say only whether the variable is set.",
            "Change the secrets that a deployment with this route has given away.",
        ),
        snippet=f'{{"{name}": "{name}" in os.environ}}',
        masked=True,
    )
