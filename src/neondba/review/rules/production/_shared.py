"""What the rules about programs in production share."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles

ROUTES: Final = frozenset({"get", "post", "put", "patch", "delete", "api_route", "route", "websocket"})
SESSION: Final = re.compile(
    r"(?:^|\.)_?(?:db|session|db_session|async_session|sess|conn|connection|database)$"
)
READS: Final = frozenset(
    {"exec", "execute", "get", "scalar", "scalars", "scalar_one_or_none", "fetch", "fetchrow", "fetchval"}
)
WORK: Final = READS | {
    "commit",
    "refresh",
    "flush",
    "rollback",
    "query",
    "merge",
    "delete",
    "get_one",
    "stream",
}
SESSIONS: Final = frozenset({"sqlmodel.Session", "sqlalchemy.orm.Session", "sqlmodel.orm.session.Session"})


def apps(python: PythonFiles, *words: str) -> Iterator[PythonFile]:
    """Give the files of running programs that have one of the words."""
    for file in python.containing(*words):
        if not (is_test(file.path) or is_script(file.path) or is_migration(file.path)):
            yield file


def route_of(function: Function) -> str | None:
    """Give the path of a route; `None` for other functions."""
    for decorator in function.decorators:
        if isinstance(decorator, ast.Call) and method(decorator) in ROUTES and receiver(decorator):
            first = decorator.args[0] if decorator.args else None
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return None


def receiver(call: ast.Call) -> str:
    """Give what a method is called on, as code: `self.session`."""
    return dotted(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def dotted(node: ast.AST) -> str:
    """Give a dotted name as text; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def method(call: ast.Call) -> str:
    """Give the last part of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted(call.func)


def is_session_work(call: ast.Call, methods: frozenset[str] = WORK) -> bool:
    """Tell whether a call sends something to the database over a session."""
    return method(call) in methods and bool(SESSION.search(receiver(call)))


def session_parameters(python: PythonFiles, file: PythonFile, function: Function) -> dict[str, str]:
    """Give the session parameters of a function: `async` or `sync` by name."""
    found = {}
    for parameter in function.parameters:
        kind = _session_kind(python, file, parameter.annotation)
        if kind:
            found[parameter.name] = kind
    return found


def _session_kind(python: PythonFiles, file: PythonFile, annotation: ast.expr | None, depth: int = 0) -> str:
    """Follow an annotation through `Annotated` and aliases."""
    if isinstance(annotation, ast.Subscript) and dotted(annotation.value).endswith("Annotated"):
        inner = annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
        return _session_kind(python, file, inner, depth)
    name = file.resolve(annotation) if annotation is not None else None
    if name is None or depth > 3:
        return ""
    if name.endswith("AsyncSession"):
        return "async"
    if name in SESSIONS:
        return "sync"
    meant = python.definition(name)
    return (
        _session_kind(python, meant[0], meant[1], depth + 1)
        if meant and isinstance(meant[1], ast.expr)
        else ""
    )


def times(count: int) -> str:
    """Say how often something happens in a file."""
    return "" if count == 1 else f", here and in {count - 1} more place{'s' if count > 2 else ''} of the file"


_BROAD = frozenset(
    {"Exception", "BaseException", "SQLAlchemyError", "DBAPIError", "OperationalError", "IntegrityError",
     "ProgrammingError", "DatabaseError", "PostgresError", "InterfaceError", "DataError", "Error"}
)  # fmt: skip


def is_broad(kind: ast.expr | None) -> bool:
    """Tell whether a handler catches what a database driver raises."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind] if kind else []
    return any(dotted(k).rpartition(".")[2] in _BROAD for k in kinds)
