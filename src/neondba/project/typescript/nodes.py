"""The parts of a TypeScript program that our questions are about; types and comments are left out.

`await`, parentheses, `as T`, `satisfies T` and `!` vanish: the inner expression stands in their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Node:
    """Anything that has a place; lines count from 1."""

    line: int


@dataclass(slots=True, eq=False)
class Name(Node):
    """A plain name: `prisma`, `this`."""

    name: str


@dataclass(slots=True, eq=False)
class Text(Node):
    """A string without holes; its value, escapes left as written."""

    value: str


@dataclass(slots=True, eq=False)
class Template(Node):
    """A template string; the texts stand between and around the holes."""

    texts: list[str]
    holes: list[Node]


@dataclass(slots=True, eq=False)
class Constant(Node):
    """A number, `true`, `false`, `null`, `undefined` or a regular expression, as written."""

    text: str


@dataclass(slots=True, eq=False)
class Member(Node):
    """`object.name` or `object?.name`."""

    object: Node
    name: str


@dataclass(slots=True, eq=False)
class Index(Node):
    """`object[index]`."""

    object: Node
    index: Node


@dataclass(slots=True, eq=False)
class Call(Node):
    """A call; `new X(...)`, a tagged template (its only argument) and a JSX element are calls, too."""

    callee: Node
    arguments: list[Node]
    form: str = "call"
    """`call`, `new`, `tag` or `jsx`."""
    awaited: bool = False
    end: int = 0
    """The last line."""
    _name: str = ""

    @property
    def name(self) -> str:
        """What is called, dotted: `prisma.task.findMany`, `new`-calls by their class."""
        if not self._name:
            self._name = dotted(self.callee)
        return self._name


@dataclass(slots=True, eq=False)
class Property(Node):
    """One entry of an object; `key` is empty for a spread and for a computed key."""

    key: str
    value: Node
    spread: bool = False


@dataclass(slots=True, eq=False)
class Object(Node):
    """An object literal, or a pattern that takes one apart."""

    properties: list[Property]

    def get(self, *path: str) -> Node | None:
        """Give the value under a key, or under keys one inside the other."""
        found: Node | None = self
        for key in path:
            if not isinstance(found, Object):
                return None
            found = next((p.value for p in found.properties if p.key == key), None)
        return found


@dataclass(slots=True, eq=False)
class Array(Node):
    """An array literal, or a pattern that takes one apart."""

    items: list[Node]


@dataclass(slots=True, eq=False)
class Spread(Node):
    """`...value`."""

    value: Node


@dataclass(slots=True, eq=False)
class Binary(Node):
    """`left operator right`; also `??`, `&&` and `||`."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Unary(Node):
    """`!x`, `-x`, `typeof x`, `yield x`."""

    operator: str
    value: Node


@dataclass(slots=True, eq=False)
class Conditional(Node):
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node


@dataclass(slots=True, eq=False)
class Assign(Node):
    """`target = value`; in a pattern, the value is the default."""

    target: Node
    value: Node


@dataclass(slots=True, eq=False)
class Several(Node):
    """Expressions of which no more is known than that they are there."""

    parts: list[Node]


@dataclass(slots=True, eq=False)
class Block(Node):
    """Statements in a row."""

    body: list[Node]


@dataclass(slots=True, eq=False)
class Declare(Node):
    """`const target = value`."""

    target: Node
    value: Node | None
    kind: str = "const"


@dataclass(slots=True, eq=False)
class If(Node):
    """`if (test) then else otherwise`; `switch` cases become a chain of these."""

    test: Node
    then: Node
    otherwise: Node | None


@dataclass(slots=True, eq=False)
class Return(Node):
    """`return value`."""

    value: Node | None


@dataclass(slots=True, eq=False)
class Throw(Node):
    """`throw value`."""

    value: Node | None


@dataclass(slots=True, eq=False)
class Loop(Node):
    """Any loop; `target` takes the items of `value` in a `for … of`."""

    target: Node | None
    value: Node | None
    body: Node


@dataclass(slots=True, eq=False)
class Try(Node):
    """`try` with what is caught and what comes at last."""

    body: Node
    caught: Node | None
    handler: Node | None
    finalizer: Node | None


@dataclass(slots=True, eq=False)
class Parameter(Node):
    """A parameter: its pattern, default, written type, and decorators."""

    target: Node
    type: str = ""
    decorators: list[Node] = field(default_factory=list)
    default: Node | None = None


@dataclass(slots=True, eq=False)
class Function(Node):
    """A function in any form; `body` is a Block, or the expression an arrow gives."""

    name: str
    parameters: list[Parameter]
    body: Node
    end: int
    is_async: bool = False
    broken: bool = False
    """It holds a syntax error, so that not all of it was read."""
    decorators: list[Node] = field(default_factory=list)
    static: bool = False

    @property
    def directive(self) -> str:
        """Give `use server` or another directive the body begins with."""
        return directive_of(self.body.body) if isinstance(self.body, Block) else ""


@dataclass(slots=True, eq=False)
class Class(Node):
    """A class with its methods and the values of its fields."""

    name: str
    base: Node | None
    methods: dict[str, Function]
    fields: dict[str, Node | None]
    types: dict[str, str]
    """Written types of fields and of the constructor's properties."""
    decorators: list[Node]


@dataclass(slots=True, eq=False)
class Import(Node):
    """`import { imported as local } from source`; `imported` is `default` or `*`, too."""

    local: str
    imported: str
    source: str


@dataclass(slots=True, eq=False)
class Export(Node):
    """One exported name; from `source` where it is handed on. `*` hands on everything."""

    name: str
    local: str
    source: str = ""


def dotted(node: Node) -> str:
    """Write a chain of names and calls: `db.select().from` gives `db.select.from`."""
    parts: list[str] = []
    while True:
        if isinstance(node, Member):
            parts.append(node.name)
            node = node.object
        elif isinstance(node, Call):
            node = node.callee
        elif isinstance(node, Index):
            parts.append(node.index.value if isinstance(node.index, Text) else "[]")
            node = node.object
        else:
            break
    parts.append(node.name if isinstance(node, Name) else "?")
    return ".".join(reversed(parts))


def directive_of(body: list[Node]) -> str:
    """Give the directive that statements begin with, such as `use server`."""
    first = body[0] if body else None
    return first.value if isinstance(first, Text) and first.value.startswith("use ") else ""


def children(node: Node) -> Iterator[Node]:
    """Give the parts of a node, in the order of the text as far as it matters."""
    for name in FIELDS.get(type(node), ()):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield from (v for v in value.values() if v is not None)


def walk(node: Node) -> Iterator[Node]:
    """Give a node and everything inside it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))


FIELDS: dict[type[Node], tuple[str, ...]] = {
    Template: ("holes",), Member: ("object",), Index: ("object", "index"), Call: ("callee", "arguments"),
    Property: ("value",), Object: ("properties",), Array: ("items",), Spread: ("value",),
    Binary: ("left", "right"), Unary: ("value",), Conditional: ("test", "then", "otherwise"),
    Assign: ("target", "value"), Several: ("parts",), Block: ("body",), Declare: ("target", "value"),
    If: ("test", "then", "otherwise"), Return: ("value",), Throw: ("value",),
    Loop: ("target", "value", "body"), Try: ("body", "caught", "handler", "finalizer"),
    Parameter: ("decorators", "target", "default"), Function: ("decorators", "parameters", "body"),
    Class: ("decorators", "base", "methods", "fields"),
}  # fmt: skip
"""Where the parts of each kind of node are."""
