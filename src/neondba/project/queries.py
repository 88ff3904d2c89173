"""The ORM statements of a function, and the conditions they run under."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from neondba.project.owners import Model, Owners
from neondba.project.python import Function, PythonFile, PythonFiles

NARROWING = frozenset(
    {"where", "filter", "filter_by", "having", "join", "outerjoin", "with_parent", "join_from"}
)
STARTING = ("select", "update", "delete", "exists")
UNIQUE = frozenset({"email", "username", "token", "slug", "code", "key", "hash", "session_id", "external_id"})


@dataclass(eq=False)
class Statement:
    """One ORM statement, with the conditions that its function ever adds to it."""

    kind: str
    """`select`, `get`, `update` or `delete`."""
    model: Model
    file: PythonFile
    function: Function
    line: int
    conditions: list[ast.expr] = field(default_factory=list)
    keywords: dict[str, ast.expr] = field(default_factory=dict)
    """Conditions given as keywords, as in `filter_by(user_id=...)`."""
    joins: bool = False
    counts: bool = False
    """Only an aggregate is read."""
    variable: str | None = None
    """The name that the statement, or the row of a `get`, is bound to."""

    @property
    def names_owner(self) -> bool:
        """Whether a condition mentions an owner column of the model, or any model's owner."""
        if any(name in self.model.owners for name in self.keywords):
            return True
        return any(
            isinstance(n, ast.Attribute) and n.attr in self.model.owners
            for c in self.conditions
            for n in ast.walk(c)
        )

    def equalities(self) -> Iterator[tuple[str, ast.expr]]:
        """Give column and value of each `Model.column == value` (or `in_`, or keyword)."""
        yield from self.keywords.items()
        for condition in self.conditions:
            for node in ast.walk(condition):
                if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute | ast.Call):
                    left = (
                        node.left.args[0] if isinstance(node.left, ast.Call) and node.left.args else node.left
                    )
                    if isinstance(left, ast.Attribute) and isinstance(node.ops[0], ast.Eq):
                        yield left.attr, node.comparators[0]
                elif _is_in(node):
                    yield node.func.value.attr, node.args[0]  # type: ignore[attr-defined]


def _is_in(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return False
    return node.func.attr == "in_" and isinstance(node.func.value, ast.Attribute)


def statements(files: PythonFiles, owners: Owners, file: PythonFile, function: Function) -> list[Statement]:
    """Give the statements of a function over models of the project, in order."""
    reader = _Reader(files, owners, file, function)
    for call in function.calls:
        reader.start(call)
    for node in function.assignments:
        reader.name(node)
    for call in function.calls:
        reader.narrow(call)
    return sorted(reader.found.values(), key=lambda s: s.line)


class _Reader:
    """Collects the statements of one function."""

    def __init__(self, files: PythonFiles, owners: Owners, file: PythonFile, function: Function) -> None:
        self.files, self.owners, self.file, self.function = files, owners, file, function
        self.found: dict[int, Statement] = {}
        """By identity of the call that starts the statement."""
        self.variables: dict[str, list[Statement]] = {}

    def start(self, call: ast.Call) -> None:
        """Note a call that starts a statement."""
        kind, model, key = self._begun(call)
        if model is not None:
            made = Statement(kind, model, self.file, self.function, call.lineno)
            made.counts = "func." in ast.unparse(call) if kind == "select" else False
            if kind == "get" and len(call.args) > 1:
                made.keywords["id"] = call.args[1]
            elif kind == "get" and call.args and not self._model(call.args[0]):
                made.keywords["id"] = call.args[0]
            self.found[id(key)] = made

    def _begun(self, call: ast.Call) -> tuple[str, Model | None, ast.AST]:
        func = call.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if name in STARTING and not (isinstance(func, ast.Attribute) and name != "select" and not call.args):
            return name, next(filter(None, (self._model(a) for a in call.args)), None), call
        if name == "query" and call.args:
            return "select", self._model(call.args[0]), call
        if name in ("get", "get_one", "get_or_404") and call.args and isinstance(func, ast.Attribute):
            model = self._model(call.args[0])
            if model is not None:
                return "get", model, call
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Attribute)
            and func.value.attr == "query"
        ):
            kind = "get" if name in ("get", "get_or_404") else "select"
            return kind, self._model(func.value.value), func.value
        return "", None, call

    def _model(self, node: ast.AST) -> Model | None:
        if isinstance(node, ast.Call) and node.args:
            node = node.args[0]
        while isinstance(node, ast.Attribute | ast.Name):
            model = self.owners.model(self.files, self.file, node)
            if model is not None or isinstance(node, ast.Name):
                return model
            node = node.value
        return None

    def name(self, node: ast.AST) -> None:
        """Note the variable that a statement is bound to."""
        value = getattr(node, "value", None)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if value is None or not isinstance(targets[0], ast.Name):
            return
        for inner in ast.walk(value):
            statement = self.found.get(id(inner))
            if statement is not None:
                statement.variable = targets[0].id
                self.variables.setdefault(targets[0].id, []).append(statement)

    def narrow(self, call: ast.Call) -> None:
        """Add the conditions of one call in a chain to the statements at its root."""
        if not isinstance(call.func, ast.Attribute):
            return
        attr = call.func.attr
        if attr in NARROWING or attr == "select_from":
            for statement in self._rooted(call.func.value):
                statement.conditions += call.args
                statement.keywords |= {k.arg: k.value for k in call.keywords if k.arg}
                statement.joins |= "join" in attr or attr == "with_parent"

    def _rooted(self, node: ast.AST) -> list[Statement]:
        while True:
            if id(node) in self.found:
                return [self.found[id(node)]]
            if isinstance(node, ast.Call):
                node = node.func
            elif isinstance(node, ast.Attribute | ast.Await):
                node = node.value
            elif isinstance(node, ast.Name):
                return self.variables.get(node.id, [])
            else:
                return []
