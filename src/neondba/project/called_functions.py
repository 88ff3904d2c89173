"""Which of the project's own functions a Python call runs, as far as types are written down."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.python import Class, Function, PythonFile, PythonFiles

Found = tuple[PythonFile, Function]
Kind = tuple[PythonFile, Class]


def called_function(
    files: PythonFiles, file: PythonFile, function: Function, call: ast.Call, depth: int = 0
) -> Found | None:
    """Give the function or method that a call in `function` runs; `None` for other people's code."""
    func = call.func
    if isinstance(func, ast.Name):
        found = files.definition(file.resolve(func))
        return (found[0], found[1]) if found and isinstance(found[1], Function) else None
    if not isinstance(func, ast.Attribute):
        return None
    found = files.definition(file.resolve(func))
    if found and isinstance(found[1], Function):
        return found[0], found[1]
    kind = kind_of(files, file, function, func.value, depth)
    return _method(files, kind, func.attr) if kind else None


def kind_of(
    files: PythonFiles, file: PythonFile, function: Function, node: ast.expr, depth: int = 0
) -> Kind | None:
    """Give the project's class that a value is an instance of, or is."""
    if depth > 4:
        return None
    if isinstance(node, ast.Call):
        return _made(files, file, function, node, depth)
    if isinstance(node, ast.Name) and node.id in ("self", "cls") and function.owner:
        return file, function.owner
    if isinstance(node, ast.Name):
        for value in _assigned(function, node.id):
            if kind := kind_of(files, file, function, value, depth + 1):
                return kind
        for parameter in function.parameters:
            if parameter.name == node.id:
                return _annotated(files, file, parameter.annotation, parameter.default)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return _field(files, file, function, node.attr, depth)
    return _named(files, file, node)


def _made(
    files: PythonFiles, file: PythonFile, function: Function, call: ast.Call, depth: int
) -> Kind | None:
    if kind := _named(files, file, call.func):
        return kind
    found = called_function(files, file, function, call, depth + 1)
    return _annotated(files, found[0], found[1].node.returns, None) if found else None


def _named(files: PythonFiles, file: PythonFile, node: ast.expr) -> Kind | None:
    found = files.definition(file.resolve(node))
    if found is None:
        return None
    if isinstance(found[1], Class):
        return found[0], found[1]
    if isinstance(found[1], ast.Call):
        made = files.definition(found[0].resolve(found[1].func))
        return (made[0], made[1]) if made and isinstance(made[1], Class) else None
    return None


def _annotated(
    files: PythonFiles, file: PythonFile, annotation: ast.expr | None, default: ast.expr | None
) -> Kind | None:
    parts = [annotation] if annotation is not None else []
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice
        parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    elif isinstance(annotation, ast.BinOp):
        parts = [annotation.left, annotation.right]
    if isinstance(default, ast.Call):
        parts += default.args
    for part in parts:
        found = files.definition(file.resolve(part))
        if found and isinstance(found[1], Class):
            return found[0], found[1]
        if found and isinstance(found[1], Function) and part is not annotation:
            return _annotated(files, found[0], found[1].node.returns, None)
    return None


def _field(files: PythonFiles, file: PythonFile, function: Function, name: str, depth: int) -> Kind | None:
    for method in function.owner.functions if function.owner else ():
        for node in method.assignments:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr == name and node.value is not None:
                    return kind_of(files, file, method, node.value, depth + 1)
    return None


def _assigned(function: Function, name: str) -> Iterator[ast.expr]:
    for node in function.assignments:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None and any(isinstance(t, ast.Name) and t.id == name for t in targets):
            yield node.value.value if isinstance(node.value, ast.Await) else node.value


def _method(files: PythonFiles, kind: Kind, name: str, depth: int = 0) -> Found | None:
    file, owner = kind
    for method in owner.functions:
        if method.name == name:
            return file, method
    for base in owner.bases if depth < 4 else ():
        found = files.definition(file.resolve(base))
        if found and isinstance(found[1], Class):
            inherited = _method(files, (found[0], found[1]), name, depth + 1)
            if inherited:
                return inherited
    return None
