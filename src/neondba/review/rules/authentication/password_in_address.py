"""A password or refresh token comes in the address of the request.

FastAPI takes a plain `password: str` from the query string. So it stands in the access log of the server, of
every proxy before it and of the platform, and in the browser's history; who reads one of these can sign in.
A body stands in none of them.

## Instead

```python bad path=app/auth.py
from fastapi import APIRouter, Depends

router = APIRouter()

@router.post("/login")
def login(email: str, password: str, db=Depends(get_db)):  # <- finding
    return sign_in(db, email, password)
```

```python good path=app/auth.py
from fastapi import APIRouter, Depends
from pydantic import BaseModel

router = APIRouter()

class Credentials(BaseModel):
    email: str
    password: str

@router.post("/login")
def login(given: Credentials, db=Depends(get_db)):
    return sign_in(db, given.email, given.password)
```

## When it does not matter

A form or a body that says so, a value that a dependency gives, and links that are sent by mail:

```python good path=app/auth.py case=said
from typing import Annotated
from fastapi import APIRouter, Body, Depends, Form

router = APIRouter()

@router.post("/login")
def login(email: Annotated[str, Form()], password: Annotated[str, Form()]):
    return sign_in(email, password)

@router.post("/password")
def change(password: str = Body(), token: str = Depends(oauth2_scheme)):
    return changed(token, password)
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Function
from neondba.project.routes import Route, Routes
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_SECRET = re.compile(
    r"^(?:(?:new|old|current|confirm|plain|user)_)?(?:password|passwd|pwd)$|^(?:old_)?refresh_token$"
)


@rule("NDB520", Category.AUTH, Severity.MEDIUM)
def check(routes: Routes) -> Iterator[Finding]:
    """Look for routes whose plain parameters are named like secrets, once a file."""
    told: set[str] = set()
    for route in routes.routes:
        if route.method == "WEBSOCKET" or "fastapi" not in route.file.text or route.file.path in told:
            continue
        found = _plain(route)
        if found is not None:
            told.add(route.file.path)
            yield _finding(route, *found)


def _plain(route: Route) -> tuple[str, int] | None:
    """Give the parameter that FastAPI takes from the query string."""
    injected = {d.parameter for d in route.dependencies}
    for parameter in route.function.parameters:
        kind = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
        plain = kind in ("str", "Optional[str]", "str | None")
        default = parameter.default
        bare = default is None or isinstance(default, ast.Constant) or "Query" in ast.unparse(default)
        if not _SECRET.match(parameter.name) or parameter.name in injected or not plain or not bare:
            continue
        if "{" + parameter.name not in route.path and not _is_flask(route.function):
            return parameter.name, parameter.line
    return None


def _is_flask(function: Function) -> bool:
    return any("request." in ast.unparse(d) or ".route(" in ast.unparse(d) for d in function.decorators)


def _finding(route: Route, name: str, line: int) -> Finding:
    return Finding(
        route.file.path,
        line,
        f"{route.method} {route.path or route.function.name} takes {name} from the query string: it stands "
        "in the access log of every server on the way, for whoever reads that to sign in with.",
        steps=(
            "Take it from the body: a pydantic model, or Form().",
            "Clear the logs that hold such addresses.",
        ),
        snippet=f"{name}: Annotated[str, Body(embed=True)]",
    )
