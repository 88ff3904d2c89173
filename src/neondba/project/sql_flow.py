"""Which parameters of a function end up in a text that it builds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from neondba.project.python import Function, PythonFile, PythonFiles

HARMLESS = frozenset(
    {"int", "float", "bool", "UUID", "date", "datetime", "Decimal", "Literal", "Enum", "len"}
)
"""Types and conversions whose text form cannot leave its place in SQL."""
PASSING = frozenset(
    {"str", "strip", "lower", "upper", "replace", "rstrip", "lstrip", "title", "list", "tuple", "sorted",
     "set", "dedent", "values", "items", "copy", "encode", "SQL", "cast"}
)  # fmt: skip
"""Calls whose result still holds what they were given."""
TESTED = frozenset({"isidentifier", "isalnum", "isdigit", "isalpha", "match", "fullmatch", "get_column"})


INTERNAL = re.compile(
    r"table|column|schema|index|view|model|sql|query|statement|stmt|extension|direction|order|sort|clause|field"
    r"|dimension|type|policy|constraint|operator|database|db_?name",
    re.IGNORECASE,
)
"""Names of what the program itself decides, where no client speaks to the function."""


@dataclass(frozen=True)
class Flow:
    """A parameter that becomes part of a text, and where."""

    parameter: str
    path: str
    line: int


class FlowReader:
    """Follows values through one function, and through what its own functions return."""

    def __init__(self, files: PythonFiles, file: PythonFile, function: Function, depth: int = 0) -> None:
        self.files, self.file, self.function, self.depth = files, file, function, depth
        self.parameters = {p.name: p for p in function.parameters if p.name not in ("self", "cls")}
        self._tested = _tested(function)
        self._open: set[str] = set()
        self._known: dict[str, frozenset[Flow]] = {}

    def flows(self, node: ast.AST | None) -> frozenset[Flow]:
        """Give the parameters in a value; their line is 0 until they become text."""
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.JoinedStr):
            inner = self._all(v.value for v in node.values if isinstance(v, ast.FormattedValue))
            return self._placed(inner, node)
        if isinstance(node, ast.BinOp):
            found = self._all(operands(node))
            return self._placed(found, node) if isinstance(node.op, ast.Add | ast.Mod) else found
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Await | ast.Starred):
            decided = isinstance(node, ast.Attribute) and (
                node.attr.startswith("__") or INTERNAL.search(node.attr)
            )
            return frozenset() if decided else self.flows(node.value)
        return self._all(_parts(node))

    def _all(self, nodes: Iterator[ast.expr] | tuple[ast.expr, ...] | list[ast.expr]) -> frozenset[Flow]:
        return frozenset().union(*(self.flows(n) for n in nodes))

    def _placed(self, flows: frozenset[Flow], node: ast.expr) -> frozenset[Flow]:
        """Note where bare values became text; what already was text keeps its place."""
        return frozenset(
            f if f.line else Flow(f.parameter, self.file.path, _line(node, f.parameter)) for f in flows
        )

    def _name(self, name: str) -> frozenset[Flow]:
        if name in self._known or name in self._open:
            return self._known.get(name, frozenset())
        self._open.add(name)
        found = self._all(list(_sources(self.function, name)))
        parameter = self.parameters.get(name)
        if (
            parameter is not None
            and name not in self._tested
            and not _is_harmless(self.files, self.file, parameter.annotation)
        ):
            found |= {Flow(name, "", 0)}
        if name in self._tested:
            found = frozenset()
        self._open.discard(name)
        self._known[name] = found
        return found

    def _call(self, node: ast.Call) -> frozenset[Flow]:
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        arguments = [*node.args, *(k.value for k in node.keywords)]
        if name == "format" and isinstance(func, ast.Attribute):
            if "sql.SQL" in ast.unparse(func.value) or "SQL(" in ast.unparse(func.value):
                return frozenset()
            return self.flows(func.value) | self._placed(self._all(arguments), node)
        if name == "join" and arguments:
            return self._placed(self.flows(arguments[0]), node)
        if name in ("get", "pop") and isinstance(func, ast.Attribute):
            return self.flows(func.value)
        if name in PASSING:
            base = self.flows(func.value) if isinstance(func, ast.Attribute) else frozenset()
            return base | (self._all(node.args[:1]) if not base else frozenset())
        return self._returned(node)

    def _returned(self, node: ast.Call) -> frozenset[Flow]:
        """Follow a call of the project's own function to what it returns."""
        target = self._target(node.func)
        if target is None or self.depth >= 2 or target[1] is self.function:
            return frozenset()
        file, function = target
        inner = FlowReader(self.files, file, function, self.depth + 1)
        names = [p.name for p in function.parameters if p.name not in ("self", "cls")]
        given = {
            **dict(zip(names, node.args, strict=False)),
            **{k.arg: k.value for k in node.keywords if k.arg},
        }
        found: set[Flow] = set()
        for flow in inner._all([r.value for r in function.returns if r.value is not None]):
            for mine in self.flows(given.get(flow.parameter)):
                found.add(Flow(mine.parameter, flow.path, flow.line) if flow.line else mine)
        return frozenset(found)

    def _target(self, func: ast.expr) -> tuple[PythonFile, Function] | None:
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id in ("self", "cls")
        ):
            owner = self.function.owner
            method = next((f for f in owner.functions if f.name == func.attr), None) if owner else None
            return (self.file, method) if method else None
        found = self.files.definition(self.file.resolve(func))
        return (found[0], found[1]) if found and isinstance(found[1], Function) else None


def operands(node: ast.BinOp) -> list[ast.expr]:
    """Give the operands of a chain; texts are glued together from hundreds of parts."""
    found: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        found.append(left.right)
        left = left.left
    return [*found, left]


def _parts(node: ast.AST | None) -> list[ast.expr]:
    """Give what a value is chosen or gathered from."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts
    return [node.elt] if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp) else []


def _sources(function: Function, name: str) -> Iterator[ast.expr]:
    """Give every value of a local name: assigned, looped over or appended."""
    for node in function.assignments:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None and any(name in _names(t) for t in targets):
            yield node.value
    for inner in function.nodes:
        if isinstance(inner, ast.For | ast.AsyncFor | ast.comprehension):
            yield from _looped(inner, name)
    for call in function.calls:
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in ("append", "extend", "add") and call.args[:1]:
            yield from call.args[:1] if isinstance(func.value, ast.Name) and func.value.id == name else ()


def _looped(loop: ast.For | ast.AsyncFor | ast.comprehension, name: str) -> Iterator[ast.expr]:
    """Give what a loop variable runs over; numbers and keys are left out."""
    target, over = loop.target, loop.iter
    called = over.func if isinstance(over, ast.Call) else None
    kind = (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )
    if isinstance(target, ast.Tuple) and kind in ("items", "enumerate"):
        first = target.elts[0]
        if not (isinstance(first, ast.Name) and first.id == name) and name in _names(target):
            yield over.args[0] if kind == "enumerate" and isinstance(over, ast.Call) and over.args else over
    elif name in _names(target) and kind not in ("keys", "range"):
        yield over


def _names(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _line(node: ast.expr, name: str) -> int:
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Name)
            and inner.id == name
            and node.lineno <= inner.lineno <= (node.end_lineno or 0)
        ):
            return inner.lineno
    return node.lineno


def _tested(function: Function) -> set[str]:
    """Give the names that the function holds against a list or a pattern."""
    tested: set[str] = set()
    for node in function.nodes:
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            tested |= _names(node.left)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TESTED:
            tested |= _names(node)
    return tested


def _is_harmless(files: PythonFiles, file: PythonFile, annotation: ast.expr | None) -> bool:
    """Tell whether a type leaves no room for SQL: numbers, ids, dates, enums."""
    names = [file.resolve(n) or "" for n in ast.walk(annotation)] if annotation is not None else []
    plain = [n.rpartition(".")[2] for n in names if n]
    if (
        any(n in ("str", "Any", "dict", "Dict", "object", "list", "List") for n in plain)
        and "Literal" not in plain
    ):
        return bool(
            re.fullmatch(
                r"list\[int\]|List\[int\]|dict\[.*int\]", ast.unparse(annotation) if annotation else ""
            )
        )
    if any(n in HARMLESS for n in plain):
        return True
    found = [files.definition(n) for n in names if "." in n]
    return any(
        d is not None and not isinstance(d[1], Function | ast.expr) and _is_enum(d[0], d[1].bases)
        for d in found
    )


def _is_enum(file: PythonFile, bases: list[ast.expr]) -> bool:
    return any((file.resolve(b) or "").endswith("Enum") for b in bases)
