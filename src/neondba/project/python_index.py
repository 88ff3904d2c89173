"""One walk over a module's syntax tree that sorts its nodes by kind and scope.

The walk keeps its own stack (no recursion, no generators) and goes only where children can be: the
whole review must read tens of thousands of lines a second.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Assigned = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr

_LEAVES = (
    "ctx", "op", "ops", "kind", "type_comment", "id", "attr", "arg", "name", "names", "type_ignores",
    "conversion", "simple", "is_async", "rest", "kwd_attrs",
)  # fmt: skip


def _places(kind: type[ast.AST]) -> tuple[str, ...]:
    fields = kind._fields
    if kind is ast.ExceptHandler or kind is ast.MatchAs:
        return tuple(f for f in reversed(fields) if f != "name")
    return tuple(f for f in reversed(fields) if f not in _LEAVES)


_CHILDREN: dict[type, tuple[str, ...]] = {
    kind: _places(kind) for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
}
for _leaf in (ast.Name, ast.Constant, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal):
    _CHILDREN[_leaf] = ()
_CHILDREN[ast.keyword] = ("value",)
_PLAIN = (
    "ctx", "type_comment", "id", "attr", "arg", "name", "asname", "module", "level", "type_ignores",
    "conversion", "simple", "is_async", "rest", "kwd_attrs", "kind", "tag", "str",
)  # fmt: skip
_OPENING = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})


PARTS: dict[type, tuple[str, ...]] = {
    kind: tuple(f for f in getattr(kind, "_fields", ()) if f not in _PLAIN or kind.__name__ == "TypeAlias")
    for kind in _CHILDREN
} | dict.fromkeys((ast.Constant, ast.MatchSingleton, ast.Global, ast.Nonlocal), ())
"""The fields of each kind of node that hold nodes, in the order of the text."""


def walk(node: ast.AST) -> list[ast.AST]:
    """Give a node and all inside it, nearest first: what `ast.walk` gives, several times as fast.

    Left out are `Load`, `Store` and `Del`, which tell nothing.
    """
    found: list[ast.AST] = [node]
    for current in found:
        for name in PARTS[type(current)]:
            value = getattr(current, name)
            if type(value) is list:
                found += [part for part in value if part is not None]
            elif value is not None:
                found.append(value)
    return found


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function."""

    name: str
    annotation: ast.expr | None
    default: ast.expr | None
    line: int


@dataclass(eq=False)
class Scope:
    """What happens directly in a module, class or function, without inner scopes."""

    name: str
    qualname: str
    path: str
    line: int
    parent: Scope | None
    calls: list[ast.Call] = field(default_factory=list)
    assignments: list[Assigned] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)

    @property
    def enclosing_function(self) -> Function | None:
        """The nearest function around this scope, itself included."""
        scope: Scope | None = self
        while scope is not None and not isinstance(scope, Function):
            scope = scope.parent
        return scope


@dataclass(eq=False)
class Function(Scope):
    """A function or method."""

    node: FunctionNode = field(kw_only=True)
    returns: list[ast.Return] = field(default_factory=list)

    @property
    def is_async(self) -> bool:
        """Whether it is declared with `async def`."""
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def decorators(self) -> list[ast.expr]:
        """Its decorators, outermost first."""
        return self.node.decorator_list

    @property
    def owner(self) -> Class | None:
        """The class whose method it is."""
        return self.parent if isinstance(self.parent, Class) else None

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the body, inner functions included."""
        found: list[ast.AST] = []
        stack: list[Any] = list(reversed(self.node.body))
        while stack:
            node = stack.pop()
            found.append(node)
            for name in _CHILDREN.get(type(node), ()):
                value = getattr(node, name)
                if type(value) is list:
                    stack.extend(value[::-1])
                elif value is not None:
                    stack.append(value)
        return found

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Its parameters without `*args` and `**kwargs`."""
        a = self.node.args
        plain = [*a.posonlyargs, *a.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(a.defaults))
        pairs = zip([*plain, *a.kwonlyargs], [*defaults, *a.defaults, *a.kw_defaults], strict=True)
        return [Parameter(p.arg, p.annotation, d, p.lineno) for p, d in pairs]


@dataclass(eq=False)
class Class(Scope):
    """A class; its scope holds the class-level assignments and the methods."""

    node: ast.ClassDef = field(kw_only=True)

    @property
    def bases(self) -> list[ast.expr]:
        """Its base classes as written."""
        return self.node.bases

    @property
    def decorators(self) -> list[ast.expr]:
        """Its decorators, outermost first."""
        return self.node.decorator_list

    def keyword(self, name: str) -> ast.expr | None:
        """Give the value of a keyword in the class statement, as in `table=True`."""
        return next((k.value for k in self.node.keywords if k.arg == name), None)


class Call(NamedTuple):
    """A call and the scope that it stands in."""

    node: ast.Call
    scope: Scope

    @property
    def function(self) -> Function | None:
        """The function around the call; `None` at module level."""
        return self.scope.enclosing_function


@dataclass
class Index:
    """The nodes of one file by kind."""

    module: Scope
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    constants: list[ast.Constant] = field(default_factory=list)
    """Constants of any type, docstrings and the texts inside f-strings included."""
    fstrings: list[ast.JoinedStr] = field(default_factory=list)

    @property
    def scopes(self) -> list[Scope]:
        """The module and everything with a body in it."""
        return [self.module, *self.classes, *self.functions]

    @cached_property
    def strings(self) -> list[ast.Constant]:
        """String constants by line."""
        return [c for c in self.constants if type(c.value) is str]

    @cached_property
    def calls(self) -> list[Call]:
        """All calls, scope by scope."""
        return [Call(node, scope) for scope in self.scopes for node in scope.calls]


def index(path: str, tree: ast.Module) -> Index:
    """Walk a module once and sort its nodes."""
    found = Index(Scope("", "", path, 1, None))
    waiting: list[tuple[Scope, list[ast.AST]]] = [(found.module, list(reversed(tree.body)))]
    while waiting:
        scope, stack = waiting.pop()
        _walk(found, scope, stack, waiting)
    found.functions.sort(key=lambda f: f.line)
    found.classes.sort(key=lambda c: c.line)
    return found


def _walk(found: Index, scope: Scope, stack: list[Any], waiting: list[tuple[Scope, list[ast.AST]]]) -> None:
    """Note the nodes of one scope; a node with a body of its own waits its turn."""
    noted = _noting(found, scope)
    pop, push, extend = stack.pop, stack.append, stack.extend
    while stack:
        node = pop()
        kind = type(node)
        if kind is ast.Name:
            continue
        note = noted.get(kind)
        if note is not None:
            note(node)
        elif kind in _OPENING:
            _open(found, scope, node, stack, waiting)
            continue
        for name in _CHILDREN.get(kind, ()):
            value = getattr(node, name)
            if type(value) is list:
                if value:
                    extend(value[::-1])
            elif value is not None:
                push(value)


def _noting(found: Index, scope: Scope) -> dict[type, Callable[[Any], None]]:
    """Say where nodes of each kind are noted."""
    assigned, imported = scope.assignments.append, found.imports.append
    noted: dict[type, Callable[[Any], None]] = {
        ast.Call: scope.calls.append,
        ast.Assign: assigned, ast.AnnAssign: assigned, ast.AugAssign: assigned, ast.NamedExpr: assigned,
        ast.Import: imported, ast.ImportFrom: imported,
        ast.Constant: found.constants.append, ast.JoinedStr: found.fstrings.append,
    }  # fmt: skip
    if isinstance(scope, Function):
        noted[ast.Return] = scope.returns.append
    return noted


def _open(
    found: Index,
    scope: Scope,
    node: FunctionNode | ast.ClassDef,
    stack: list[ast.AST],
    waiting: list[tuple[Scope, list[ast.AST]]],
) -> None:
    """Note a function or class; its body waits, its head is the outer scope's."""
    qualname = f"{scope.qualname}.{node.name}" if scope.qualname else node.name
    inner: Scope
    if isinstance(node, ast.ClassDef):
        inner = Class(node.name, qualname, scope.path, node.lineno, scope, node=node)
        found.classes.append(inner)
        scope.classes.append(inner)
        stack.extend([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)])
    else:
        inner = Function(node.name, qualname, scope.path, node.lineno, scope, node=node)
        found.functions.append(inner)
        scope.functions.append(inner)
        stack.extend([*node.decorator_list, node.args])
        if node.returns:
            stack.append(node.returns)
    waiting.append((inner, list(reversed(node.body))))
