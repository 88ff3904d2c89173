"""An HTTPException is returned, where only raising it does anything.

FastAPI turns a returned exception into JSON like any other object and answers with status 200: the client
takes the refusal for a success. A dependency that returns one has let the caller in, for the route goes on
with the exception in place of the user; a middleware that returns one fails, for it is no response.

## Instead
```python bad path=app/orders.py case=route
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/orders/{order_id}")
def order(order_id: int, session):
    found = session.get(Order, order_id)
    if found is None:
        return HTTPException(status_code=404, detail="No such order.")  # <- finding
    return found
```
```python good path=app/orders.py case=route
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/orders/{order_id}")
def order(order_id: int, session):
    found = session.get(Order, order_id)
    if found is None:
        raise HTTPException(status_code=404, detail="No such order.")
    return found
```
```python bad path=app/main.py case=middleware
from fastapi import FastAPI, HTTPException

app = FastAPI()

@app.middleware("http")
async def guard(request, call_next):
    try:
        return await call_next(request)
    except Exception as error:
        return HTTPException(status_code=500, detail="Failed.")  # <- finding
```
```python bad path=app/security.py case=dependency
from fastapi import Depends, HTTPException

def current_user(token: str):
    user = decode(token)
    if user is None:
        return HTTPException(status_code=401)  # <- finding
    return user

def orders(user=Depends(current_user)):
    return user.orders
```
## When it does not matter
A helper that makes the exception for those who raise it:
```python good path=app/errors.py
from fastapi import HTTPException

def not_found(what: str) -> HTTPException:
    return HTTPException(status_code=404, detail=f"No such {what}.")
```
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted, method, route_of, times

_EXCEPTIONS = (
    "fastapi.HTTPException",
    "fastapi.exceptions.HTTPException",
    "starlette.exceptions.HTTPException",
)
_DEPENDS = frozenset({"Depends", "Security"})


@rule("NDB919", Category.PRODUCTION, Severity.MEDIUM)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report the first such place of each file."""
    for file in apps(python, "return HTTPException"):
        found = []
        for function in file.functions:
            places = [r.lineno for r in function.returns if _is_exception(file, r.value)]
            role = _role(python, file, function) if places else ""
            if role:
                found += [(line, function, role) for line in places]
        if found:
            yield _finding(file.path, *min(found, key=lambda f: (f[2] != "lets in", f[0])), len(found))


def _is_exception(file: PythonFile, node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and file.resolve(node.func) in _EXCEPTIONS


def _role(python: PythonFiles, file: PythonFile, function: Function) -> str:
    """Say what a function is for; empty where its result may well be raised by its caller."""
    if route_of(function) is not None:
        return "answers"
    if function.name == "dispatch" or any(
        isinstance(d, ast.Call) and method(d) == "middleware" for d in function.decorators
    ):
        return "fails"
    return "lets in" if _is_dependency(python, file, function) else ""


def _is_dependency(python: PythonFiles, file: PythonFile, function: Function) -> bool:
    for other in python.containing(function.name):
        for call in other.calls:
            if dotted(call.node.func).rpartition(".")[2] in _DEPENDS and call.node.args:
                meant = python.definition(other.resolve(call.node.args[0]))
                if meant is not None and meant[1] is function and meant[0] is file:
                    return True
    return False


_EFFECTS = {
    "answers": "the client gets status 200, with the refusal as if it were the result",
    "fails": "it is no response, so the client gets an error of the server instead of this one",
    "lets in": "the route goes on, with the exception where it expects the user or the row",
}


def _finding(path: str, line: int, function: Function, role: str, count: int) -> Finding:
    answer = (
        'return JSONResponse({"detail": …}, status_code=…)' if role == "fails" else "raise HTTPException(…)"
    )
    return Finding(
        path,
        line,
        f"{function.name}() returns an HTTPException{times(count)}: {_EFFECTS[role]}.",
        steps=("Return a JSONResponse from a middleware." if role == "fails" else "Raise it.",),
        snippet=answer,
        severity=Severity.HIGH if role == "lets in" else None,
    )
