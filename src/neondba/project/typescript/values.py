"""What is known of a value while a request is followed through the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neondba.project.typescript.file import TypeScriptFile
    from neondba.project.typescript.nodes import Class, Function, Node
    from neondba.project.typescript.statements import Statement

Origin = tuple[str, str]
"""Where a value comes from: (`caller`, as written), (`client`, its path), (`row`, number of a statement),
(`env`, name), (`fixed`, text)."""
NOTHING: frozenset[Origin] = frozenset()


@dataclass(slots=True, eq=False)
class Scope:
    """The names that a function sees, beside those of its file."""

    file: TypeScriptFile
    names: dict[str, Value] = field(default_factory=dict)
    parent: Scope | None = None
    this: Value | None = None

    def find(self, name: str) -> Value | None:
        """Give a local name's value."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def assign(self, name: str, value: Value) -> None:
        """Set a name where it was declared; a name of the file is set here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                scope.names[name] = value
                return
            scope = scope.parent
        self.names[name] = value

    def owner(self) -> Value | None:
        """Give what `this` stands for."""
        scope: Scope | None = self
        while scope is not None and scope.this is None:
            scope = scope.parent
        return scope.this if scope else None


@dataclass(slots=True, eq=False)
class Closure:
    """A function with the names it was made among."""

    function: Function
    scope: Scope


@dataclass(slots=True, eq=False)
class Value:
    """Origins, and the parts as far as they are known."""

    origins: frozenset[Origin] = NOTHING
    fields: dict[str, Value] | None = None
    closure: Closure | None = None
    statement: Statement | None = None
    kind: str = ""
    """`request`, `context`, `module`, `class`, `instance`, `wrapped`, or nothing."""
    made: tuple[TypeScriptFile, Class] | None = None
    """The class, for `class` and `instance`; its file."""
    module: TypeScriptFile | None = None
    written: str = ""
    """How the project writes it, where that is short."""
    column: str = ""
    """The column, for a reference to a Drizzle column; also the table's variable."""
    inner: list[Value] = field(default_factory=list)
    """Functions given to a wrapper that nobody could look into."""
    node: Node | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return bool(
            self.origins or self.fields or self.closure or self.statement or self.kind or self.written
        )

    def all_origins(self) -> frozenset[Origin]:
        """Give the origins of the value and of what is inside it; an object may hold itself."""
        if not self.fields:
            return self.origins
        found: set[Origin] = set()
        seen: set[int] = set()
        stack: list[Value] = [self]
        while stack:
            value = stack.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            found |= value.origins
            if value.fields:
                stack += value.fields.values()
        return frozenset(found)

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Value]]:
        """Give the innermost values with the keys that lead to them, each once."""
        stack: list[tuple[tuple[str, ...], Value]] = [((), self)]
        seen: set[int] = set()
        while stack:
            path, value = stack.pop()
            if not value.fields:
                yield path, value
            elif id(value) not in seen:
                seen.add(id(value))
                if value.origins:
                    yield path, Value(value.origins)
                stack += [((*path, key), part) for key, part in reversed(value.fields.items())]


Signature = tuple[frozenset[Origin], tuple[tuple[str, Any], ...], str]


def signature(value: Value, depth: int = 0) -> Signature | None:
    """Give what makes a value behave as it does; none where it holds functions or is too deep."""
    if value.closure or value.inner or value.statement or value.kind or value.column or depth > 3:
        return None
    parts = []
    for name, part in (value.fields or {}).items():
        inner = signature(part, depth + 1)
        if inner is None:
            return None
        parts.append((name, inner))
    # What a function that takes roles gives depends on which they are.
    named = value.written[:1] == '"' or "." in value.written
    role = value.written if named and not value.origins else ""
    return value.origins, tuple(parts), role


def in_order(origins: frozenset[Origin]) -> Iterable[Origin]:
    """Give origins in an order that is the same in every process."""
    return origins if len(origins) < 2 else sorted(origins)


def union(values: Iterable[Value]) -> frozenset[Origin]:
    """Give the origins of all values together."""
    return NOTHING.union(*(v.all_origins() for v in values))


def merged(values: list[Value], depth: int = 0) -> Value:
    """Give one value for any of several: what a function returns, or a choice."""
    telling = [v for v in values if v.origins or v.fields or v.closure or v.statement or v.kind]
    if len(telling) <= 1 or depth > 6:
        return telling[0] if telling else Value()
    made = Value(NOTHING.union(*(v.origins for v in telling)))
    for value in telling:
        made.closure = made.closure or value.closure
        made.statement = made.statement or value.statement
        made.kind, made.made = made.kind or value.kind, made.made or value.made
        made.module = made.module or value.module
        made.written = made.written or value.written
        made.inner = made.inner or value.inner
    keyed = [v.fields for v in telling if v.fields]
    if keyed:
        keys = dict.fromkeys(k for fields in keyed for k in fields)
        made.fields = {k: merged([f[k] for f in keyed if k in f], depth + 1) for k in keys}
    return made


def item_of(value: Value) -> Value:
    """Give what stands for any item of a list."""
    if value.fields and all(k.isdigit() for k in value.fields):
        return merged(list(value.fields.values()))
    return Value(value.all_origins(), written=value.written, statement=None, kind="")


def request() -> Value:
    """Give the value of a request."""
    return Value(kind="request", written="req")


def client(path: str) -> Value:
    """Give a value that the client sends."""
    return Value(frozenset({("client", path)}), written=path)
