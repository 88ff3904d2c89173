"""What a handler of every exception sends to the client, in Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Function
from neondba.review.rules.production._shared import dotted, method, route_of

_EVERY = frozenset({"Exception", "SQLAlchemyError", "DBAPIError", "OperationalError", "BaseException"})
_TRACES = frozenset({"traceback.format_exc", "format_exc", "traceback.format_exception"})
_DEVELOPERS = re.compile(
    r"debug|develop|\bdev\b|local|environment|\benv\b|production|\bprod\b", re.IGNORECASE
)


def handled(function: Function) -> Iterator[int]:
    """Give the lines where a handler answers with the error's text, and routes with a traceback."""
    error = _error_of(function)
    if error is None and route_of(function) is None:
        return
    names = {
        target.id
        for made in function.assignments
        for target in (made.targets if isinstance(made, ast.Assign) else [made.target])
        if isinstance(target, ast.Name) and made.value is not None and _has_trace(made.value)
    }
    for node in _unconditional(function.node.body):
        value = node.value if isinstance(node, ast.Return) else getattr(node, "exc", None)
        if value is not None and (line := _told(value, error, names)):
            yield line


def _error_of(function: Function) -> str | None:
    """Give the parameter that holds the exception, in a handler of all of them."""
    for one in function.decorators:
        kind = one.args[0] if isinstance(one, ast.Call) and one.args else None
        is_handler = isinstance(one, ast.Call) and method(one) in ("exception_handler", "errorhandler")
        every = (isinstance(kind, ast.Constant) and kind.value == 500) or (
            kind is not None and dotted(kind).rpartition(".")[2] in _EVERY
        )
        if is_handler and every and function.parameters:
            return function.parameters[-1].name
    return None


def _unconditional(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements that run in production, too."""
    for node in body:
        if isinstance(node, ast.If) and _DEVELOPERS.search(ast.unparse(node.test)):
            continue
        yield node
        for name in ("body", "orelse", "finalbody"):
            yield from _unconditional(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield from _unconditional(handler.body)


def _told(node: ast.expr, error: str | None, names: set[str]) -> int:
    """Give the line where an expression holds an error's text or a traceback."""
    if isinstance(node, ast.IfExp) and _DEVELOPERS.search(ast.unparse(node.test)):
        return 0
    if isinstance(node, ast.Call) and dotted(node.func) in _TRACES:
        return node.lineno
    if isinstance(node, ast.Name) and node.id in names:
        return node.lineno
    held = (
        node.args[0]
        if isinstance(node, ast.Call) and dotted(node.func) in ("str", "repr") and node.args
        else None
    )
    held = node.value if isinstance(node, ast.FormattedValue) else held
    if error is not None and isinstance(held, ast.Name) and held.id == error:
        return node.lineno
    parts = (p for p in ast.iter_child_nodes(node))
    for part in parts:
        inner = part.value if isinstance(part, ast.keyword) else part
        if isinstance(inner, ast.expr) and (line := _told(inner, error, names)):
            return line
    return 0


def _has_trace(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Call) and dotted(n.func) in _TRACES for n in ast.walk(node))
