"""Routes of Python programs that give a new account the role that the request asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from neondba.project.python import Class, Function, PythonFile, PythonFiles
from neondba.project.routes import Route, Routes, is_test

SIGN_UP = re.compile(r"register|sign_?-?up|create_?-?account", re.IGNORECASE)
MAKES_USER = re.compile(
    r"^(?:create|register|add|insert|new)_?(?:new_)?(?:user|account|member)$|(?:^|[a-z])(?:User|Account|Member)$"
)
RIGHTS = frozenset({"role", "roles", "is_admin", "is_superuser", "user_role"})
POWER = re.compile(r"admin|owner|staff|manager|root|super", re.IGNORECASE)
ASKS = re.compile(
    r"permission|authoriz|require|check_role|has_role|can_|allowed|ensure|policy|invit|forbid", re.IGNORECASE
)


@dataclass(eq=False)
class Taken:
    """A role that comes with a request."""

    route: Route
    field: str
    path: str
    line: int
    """Where the body declares the role; the route where that is not known."""


def taken_roles(files: PythonFiles, routes: Routes) -> Iterator[Taken]:
    """Give each route that makes an account with a role out of its body, and asks nobody about it."""
    for route in routes.routes:
        if route.method.upper() != "POST" or route.is_for_staff or is_test(route.file.path):
            continue
        for parameter in route.function.parameters:
            if parameter.name not in route.client_parameters:
                continue
            body = _model(files, route.file, parameter.annotation)
            declared = _free_role(files, *body) if body is not None else None
            if declared is None:
                continue
            path, line, name = declared
            if _makes(files, route.file, route.function, parameter.name, name):
                yield Taken(route, name, path, line)


def _model(
    files: PythonFiles, file: PythonFile, annotation: ast.expr | None
) -> tuple[PythonFile, Class] | None:
    meaning = files.definition(file.resolve(annotation))
    return (meaning[0], meaning[1]) if meaning is not None and isinstance(meaning[1], Class) else None


def _free_role(
    files: PythonFiles, file: PythonFile, model: Class, depth: int = 0
) -> tuple[str, int, str] | None:
    """Give path, line and name of the field of a body that may say `admin`."""
    for statement in model.node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
            if name in RIGHTS:
                free = _is_free(files, file, statement.annotation)
                return (file.path, statement.lineno, name) if free else None
    source = ast.unparse(model.node)
    if depth < 3 and "validator" not in source:
        for base in model.node.bases:
            above = _model(files, file, base)
            found = _free_role(files, *above, depth + 1) if above is not None else None
            if found is not None:
                return found
    return None


def _is_free(files: PythonFiles, file: PythonFile, annotation: ast.expr) -> bool:
    """Tell whether a type admits a role with power."""
    text = ast.unparse(annotation)
    if "Literal" in text:
        return bool(POWER.search(text))
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name | ast.Attribute):
            named = _model(files, file, node)
            if named is not None:
                return bool(POWER.search(ast.unparse(named[1].node)))
    return bool(re.search(r"\b(?:str|bool)\b", text))


def _makes(
    files: PythonFiles, file: PythonFile, function: Function, body: str, role: str, depth: int = 0
) -> bool:
    """Tell whether a function, or one that it hands the body to, makes an account with the role."""
    if _asks(function):
        return False
    for call in function.calls:
        name = ast.unparse(call.func).rpartition(".")[2]
        if not MAKES_USER.search(name):
            continue
        if any(_carries(k, body, role) for k in call.keywords):
            return not _inner_asks(files, file, call)
        handed = _handed(call, body)
        inner = _function(files, file, call) if handed is not None and depth == 0 else None
        if handed is not None and inner is not None:
            parameter = _receiving(inner[1], handed)
            if parameter and _makes(files, inner[0], inner[1], parameter, role, 1):
                return True
    return False


def _carries(keyword: ast.keyword, body: str, role: str) -> bool:
    """Tell `role=body.role` and `**body.model_dump()`."""
    value = keyword.value
    if keyword.arg is None:
        return ast.unparse(value) in (f"{body}.model_dump()", f"{body}.dict()")
    return keyword.arg in RIGHTS and ast.unparse(value) in (f"{body}.{role}", f"{body}.{role}.value")


def _inner_asks(files: PythonFiles, file: PythonFile, call: ast.Call) -> bool:
    inner = _function(files, file, call)
    return inner is not None and _asks(inner[1])


def _asks(function: Function) -> bool:
    """Tell whether a function looks at roles or permissions before it goes on."""
    for node in function.nodes:
        if isinstance(node, ast.Compare | ast.If | ast.IfExp):
            text = ast.unparse(node.test if isinstance(node, ast.If | ast.IfExp) else node)
            if re.search(r"role|admin|superuser|permission|scope|rank|level", text, re.IGNORECASE):
                return True
    return any(ASKS.search(ast.unparse(call.func)) for call in function.calls)


def _handed(call: ast.Call, body: str) -> int | str | None:
    """Give the place or the keyword at which a call gets the body."""
    for place, argument in enumerate(call.args):
        if isinstance(argument, ast.Name) and argument.id == body:
            return place
    for keyword in call.keywords:
        if isinstance(keyword.value, ast.Name) and keyword.value.id == body:
            return keyword.arg
    return None


def _function(files: PythonFiles, file: PythonFile, call: ast.Call) -> tuple[PythonFile, Function] | None:
    """Find what is called; a method of a service by its name, if there is one of that name only."""
    meaning = files.definition(file.resolve(call.func))
    if meaning is not None and isinstance(meaning[1], Function):
        return meaning[0], meaning[1]
    if not isinstance(call.func, ast.Attribute):
        return None
    name = call.func.attr
    found = [
        (other, one)
        for other in files.containing(f"def {name}(")
        for one in other.functions
        if one.name == name and one.owner is not None and not is_test(other.path)
    ]
    return found[0] if len(found) == 1 else None


def _receiving(function: Function, handed: int | str) -> str | None:
    names = [p.name for p in function.parameters]
    if isinstance(handed, str):
        return handed if handed in names else None
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return names[handed] if handed < len(names) else None
