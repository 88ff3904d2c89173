"""A refusal is caught again a few lines later and becomes another answer.

`HTTPException` is an `Exception`. A handler for everything around the code that raises it turns the 404, the
401 or the 409 into a 500: clients retry what will never work, and the alarm for real failures rings for a
wrong password.

## Instead

```python bad path=app/orders.py
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/orders/{order_id}")
def order(order_id: int, session):
    try:
        found = session.get(Order, order_id)
        if found is None:
            raise HTTPException(404, "No such order.")
        return found
    except Exception as error:  # <- finding
        raise HTTPException(500, "Failed.")
```

```python good path=app/orders.py
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/orders/{order_id}")
def order(order_id: int, session):
    try:
        found = session.get(Order, order_id)
        if found is None:
            raise HTTPException(404, "No such order.")
        return found
    except HTTPException:
        raise
    except Exception as error:
        raise HTTPException(500, "Failed.")
```

## When it does not matter

A handler that raises the same exception again, looks at what it has caught, or gives the same answer:

```python good path=app/users.py
from fastapi import APIRouter, HTTPException

router = APIRouter()

@router.get("/users/{user_id}")
def user(user_id: int, session):
    try:
        if session.get(User, user_id) is None:
            raise HTTPException(404)
    except Exception as error:
        session.rollback()
        raise

@router.delete("/users/{user_id}")
def remove(user_id: int, session):
    try:
        if session.get(User, user_id) is None:
            raise HTTPException(404)
    except Exception as error:
        if isinstance(error, HTTPException):
            raise error
        raise HTTPException(500)

def caller(token: str):
    try:
        if "sub" not in decode(token):
            raise HTTPException(401, "No subject.")
    except Exception:
        raise HTTPException(status_code=401, detail="Not a token.")
```
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.production._shared import apps, dotted, times

_EVERYTHING = frozenset({"Exception", "BaseException"})
_REFUSALS = frozenset({"HTTPException", "StarletteHTTPException"})
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@rule("NDB930", Category.PRODUCTION, Severity.LOW)
def check(python: PythonFiles) -> Iterator[Finding]:
    """Report the first such handler of each file."""
    for file in apps(python, "HTTPException"):
        if "except" not in file.text:
            continue
        found = [
            (handler, function)
            for function in file.functions
            for node in _within(function.node.body)
            if isinstance(node, ast.Try) and (handler := _swallows(node)) is not None
        ]
        if found:
            yield _finding(file, *min(found, key=lambda pair: pair[0].lineno), len(found))


def _swallows(node: ast.Try) -> ast.ExceptHandler | None:
    """Give the handler that catches a refusal of its own block and answers something else."""
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = {dotted(kind).rpartition(".")[2] if kind is not None else "Exception" for kind in kinds}
        if names & _REFUSALS:
            return None
        if names & _EVERYTHING:
            answers = any(isinstance(n, ast.Raise | ast.Return) for n in _within(handler.body))
            changed = _statuses(node.body) - _statuses(handler.body)
            return handler if answers and changed and not _lets_through(handler) else None
    return None


def _statuses(body: Iterable[ast.stmt]) -> set[str]:
    """Give the statuses of the refusals that a block raises and no try inside it catches."""
    found = set()
    for node in _within(body, stop=ast.Try):
        raised = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(raised, ast.Call) and dotted(raised.func).rpartition(".")[2] in _REFUSALS:
            status = next((k.value for k in raised.keywords if k.arg == "status_code"), None)
            status = status if status is not None or not raised.args else raised.args[0]
            digits = re.search(r"\d{3}", ast.unparse(status)) if status is not None else None
            found.add(digits[0] if digits else "")
    return found


def _lets_through(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler raises what it has caught, or looks at its kind or status."""
    for node in _within(handler.body):
        if isinstance(node, ast.Raise) and (node.exc is None or dotted(node.exc) == handler.name):
            return True
        if isinstance(node, ast.Call) and dotted(node.func) == "isinstance":
            return True
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "status_code"
            and dotted(node.value) == handler.name
        ):
            return True
    return False


def _within(body: Iterable[ast.stmt], stop: type | tuple[type, ...] = ()) -> Iterator[ast.AST]:
    """Give the nodes of a block without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _INNER) or (stop and isinstance(node, stop)):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _finding(file: PythonFile, handler: ast.ExceptHandler, function: Function, count: int) -> Finding:
    caught = ast.unparse(handler.type) if handler.type else "everything"
    return Finding(
        file.path,
        handler.lineno,
        f"{function.name}() catches its own refusals with `except {caught}`{times(count)}: what was meant as "
        "401, 404 or 409 reaches the client as a failure of the server.",
        steps=("Let HTTPException pass before the handler for everything else.",),
        snippet=f"except HTTPException:\n    raise\nexcept {caught}:",
    )
