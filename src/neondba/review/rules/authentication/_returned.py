"""What a Python function gives back, followed to the model whose rows it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neondba.project.owners import Model, Owners
from neondba.project.python import Function, PythonFile, PythonFiles

_READS = frozenset({"get", "get_one", "select", "query", "exec", "execute", "scalar", "scalars"})
_GIVES = _READS | frozenset(
    [
        "first",
        "one",
        "one_or_none",
        "all",
        "scalar_one",
        "scalar_one_or_none",
        "fetchall",
        "unique",
        "limit",
        "offset",
        "filter",
        "filter_by",
        "where",
        "order_by",
        "options",
        "join",
        "outerjoin",
        "with_for_update",
    ]
)
_LISTS = frozenset({"list", "List", "Optional", "Sequence", "Annotated", "Iterable"})
_DEPTH = 4


def returned_model(
    files: PythonFiles, owners: Owners, file: PythonFile, function: Function, wanted: dict[str, str]
) -> tuple[int, Model] | None:
    """Give the line and the model of a whole row in what a function returns; `wanted` by qualified name."""
    source = ast.unparse(function.node)
    if "commit()" in source and "refresh(" not in source and "expire_on_commit" not in source:
        return None
    for node in function.returns:
        for part in _whole(node.value):
            model = _model_of(files, owners, file, function, part, _DEPTH)
            if model is not None and model.qualified in wanted:
                return part.lineno, model
    return None


def _whole(node: ast.expr | None) -> Iterator[ast.expr]:
    """Give what of an answer may be a row as it is: the value itself, or the values of a dictionary."""
    if isinstance(node, ast.Dict):
        if not any(isinstance(k, ast.Constant) and "password" in str(k.value) for k in node.keys):
            for value in node.values:
                yield from _whole(value)
    elif isinstance(node, (ast.List, ast.Tuple)):
        for value in node.elts:
            yield from _whole(value)
    elif node is not None:
        yield node


def _model_of(
    files: PythonFiles, owners: Owners, file: PythonFile, function: Function, node: ast.expr, depth: int
) -> Model | None:
    if depth == 0:
        return None
    if isinstance(node, ast.Await):
        return _model_of(files, owners, file, function, node.value, depth)
    if isinstance(node, ast.Name):
        return _named(files, owners, file, function, node.id, depth)
    if isinstance(node, ast.ListComp) and isinstance(node.elt, ast.Name):
        source = node.generators[0]
        same = isinstance(source.target, ast.Name) and source.target.id == node.elt.id
        return _model_of(files, owners, file, function, source.iter, depth - 1) if same else None
    if not isinstance(node, ast.Call):
        return None
    return _read(files, owners, file, node) or _called(files, owners, file, node, depth)


def _named(
    files: PythonFiles, owners: Owners, file: PythonFile, function: Function, name: str, depth: int
) -> Model | None:
    """Give the model of a variable or of a parameter."""
    given = [
        a.value
        for a in function.assignments
        if a.value is not None and any(isinstance(t, ast.Name) and t.id == name for t in _targets(a))
    ]
    if given:
        found = {id(m): m for v in given if (m := _model_of(files, owners, file, function, v, depth - 1))}
        return next(iter(found.values())) if len(found) == 1 else None
    for parameter in function.parameters:
        if parameter.name == name:
            annotated = named_model(files, owners, file, parameter.annotation)
            source = f"{ast.unparse(parameter.annotation or ast.Constant(''))} "
            source += ast.unparse(parameter.default) if parameter.default else ""
            return annotated if "Depends" in source or "Security" in source else None
    return None


def _targets(node: ast.AST) -> list[ast.expr]:
    return (
        node.targets if isinstance(node, ast.Assign) else [t] if (t := getattr(node, "target", None)) else []
    )


def named_model(files: PythonFiles, owners: Owners, file: PythonFile, node: ast.expr | None) -> Model | None:
    """Give the model that an annotation names: `User`, `list[User]`, `Annotated[User, …]`, `User | None`."""
    if isinstance(node, ast.Subscript):
        name = (file.resolve(node.value) or "").rpartition(".")[2]
        inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        return named_model(files, owners, file, inner) if name in _LISTS else None
    if isinstance(node, ast.BinOp):
        return named_model(files, owners, file, node.left)
    if not isinstance(node, ast.Name | ast.Attribute):
        return None
    model = owners.model(files, file, node)
    if (
        model is None
        and (meant := files.definition(file.resolve(node)))
        and isinstance(meant[1], ast.Subscript)
    ):
        return named_model(files, owners, meant[0], meant[1])
    return model


def _read(files: PythonFiles, owners: Owners, file: PythonFile, node: ast.Call) -> Model | None:
    """Give the model in `User(…)`, `session.get(User, 1)`, `db.query(User).all()` and their like."""
    current: ast.expr = node
    made = owners.model(files, file, node.func) if isinstance(node.func, ast.Name | ast.Attribute) else None
    if made is not None:
        return made
    while isinstance(current, ast.Call | ast.Await | ast.Attribute):
        if isinstance(current, ast.Await):
            current = current.value
            continue
        if isinstance(current, ast.Attribute):
            current = current.value
            continue
        name = (
            current.func.attr if isinstance(current.func, ast.Attribute) else getattr(current.func, "id", "")
        )
        if name not in _GIVES:
            return None
        if name in _READS and current.args:
            first = current.args[0]
            if isinstance(first, ast.Call):
                return _read(files, owners, file, first)
            if isinstance(first, ast.Name | ast.Attribute) and len(current.args) == 1 + (
                name in ("get", "get_one")
            ):
                return owners.model(files, file, first)
            return None
        current = current.func
    return None


def _called(files: PythonFiles, owners: Owners, file: PythonFile, node: ast.Call, depth: int) -> Model | None:
    """Give the model that a function of the project returns, by its annotation or its own returns."""
    meant = files.definition(file.resolve(node.func))
    if meant is None or not isinstance(meant[1], Function):
        return None
    where, made = meant[0], meant[1]
    # What an annotation promises is no row where every answer is a dictionary written out.
    if made.node.returns is not None and not _gives_dictionaries(made):
        return named_model(files, owners, where, made.node.returns)
    for one in made.returns:
        for part in _whole(one.value):
            model = _model_of(files, owners, where, made, part, depth - 1)
            if model is not None:
                return model
    return None


def _gives_dictionaries(function: Function) -> bool:
    return bool(function.returns) and all(isinstance(r.value, ast.Dict) for r in function.returns)
