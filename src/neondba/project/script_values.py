"""What names mean at one place of a TypeScript program, and who chooses a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import TypeScriptFiles
from neondba.project.typescript.nodes import (
    Array,
    Binary,
    Block,
    Call,
    Conditional,
    Constant,
    Declare,
    Function,
    Index,
    Loop,
    Member,
    Name,
    Node,
    Object,
    Return,
    Template,
    Text,
    dotted,
    walk,
)

_ROUTE: Final = re.compile(r"(?:^|/)route\.[cm]?[jt]sx?$")
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_CLIENT_CALLS: Final = re.compile(
    r"(?:^|\.)(?:searchParams\.get(?:All)?|formData\.get(?:All)?|req\.(?:json|query|param|formData|text)|request\.(?:json|"
    r"formData|text)|getQuery|readBody|getRouterParam|useSearchParams)$"
)
_SCHEMA: Final = (
    r"\b{name}\??\s*:\s*z\.(?:(?:enum|nativeEnum|number|coerce\.(?:number|date)|literal|boolean|bigint)\b|"
    r"string\(\)[^\n,]*\.(?:uuid|cuid2?|regex|datetime|ulid)\()"
)
"""How a schema of zod narrows a value."""
_HARMLESS: Final = frozenset(
    {"Number", "parseInt", "parseFloat", "BigInt", "Math", "Date", "randomUUID", "toISOString", "getTime",
     "length", "escapeIdentifier", "escapeLiteral",
      "identifier", "ident", "escape", "quoteIdent", "quoteLiteral"}
)  # fmt: skip
_KEEPS: Final = frozenset(
    {"trim", "toLowerCase", "toUpperCase", "toString", "String", "replace", "replaceAll", "join", "slice",
     "substring", "concat", "decodeURIComponent", "map", "filter", "parse", "stringify"}
)  # fmt: skip


class Reach(IntEnum):
    """Who chooses a value."""

    NOBODY = 0
    CALLER = 1
    CLIENT = 2


class Place:
    """One place in a program: what names mean there."""

    def __init__(self, files: TypeScriptFiles, file: TypeScriptFile, functions: list[Function]) -> None:
        self._files, self._file, self._functions = files, file, functions
        self._open: set[str] = set()

    def holes(self, node: Node, depth: int = 0) -> Iterator[tuple[Node, bool, int]]:
        """Give the values in a text, whether each stands in quotes, and its line."""
        if isinstance(node, Template):
            yield from self._in_template(node, depth)
        elif isinstance(node, Binary) and node.operator == "+":
            for side in (node.left, node.right):
                if isinstance(side, Template | Binary):
                    yield from self.holes(side, depth + 1)
                elif not isinstance(side, Text | Constant):
                    yield side, _in_quotes(node), side.line
        elif isinstance(node, Name) and depth < 4:
            yield from self._in_name(node, depth)
        elif depth == 0 and isinstance(node, Member | Index | Call):
            yield node, False, node.line

    def _in_template(self, node: Template, depth: int) -> Iterator[tuple[Node, bool, int]]:
        for number, hole in enumerate(node.holes):
            before, after = node.texts[number], node.texts[number + 1]
            quoted = bool(re.search(r"'%?$", before) and re.match(r"%?'", after))
            inner = list(self.holes(hole, depth + 1)) if isinstance(hole, Name | Template | Binary) else []
            yield from inner or [(hole, quoted, hole.line)]

    def _in_name(self, node: Name, depth: int) -> Iterator[tuple[Node, bool, int]]:
        values = self._values(node.name)
        for value in values:
            if isinstance(value, Template | Binary):
                yield from self.holes(value, depth + 1)
            elif depth == 0:
                yield node, False, node.line
        if depth == 0 and not values and self._parameter(node.name):
            yield node, False, node.line

    def text(self, node: Node) -> str:
        """Give the constant beginning of a text."""
        if isinstance(node, Text):
            return node.value
        if isinstance(node, Template):
            return " ? ".join(node.texts)
        if isinstance(node, Binary):
            return self.text(node.left) + self.text(node.right)
        if isinstance(node, Name):
            return next((t for v in self._values(node.name) if (t := self.text(v))), "")
        return ""

    def reach(self, node: Node, depth: int = 0) -> Reach:
        """Say who chooses a value."""
        if depth > 6 or isinstance(node, Text | Constant | Function):
            return Reach.NOBODY
        name = dotted(node)
        if isinstance(node, Name):
            return self._of_name(node.name, depth)
        if isinstance(node, Member):
            if node.name in _HARMLESS or node.name.isupper() or name.startswith(("process.env", "this.")):
                return Reach.NOBODY
            return self.reach(node.object, depth + 1)
        if isinstance(node, Index):
            return self.reach(node.object, depth + 1)
        if isinstance(node, Call):
            return self._of_call(node, name, depth)
        if isinstance(node, Binary | Conditional | Template | Array):
            return self._widest(node, depth)
        return Reach.NOBODY

    def _of_call(self, node: Call, name: str, depth: int) -> Reach:
        last = name.rpartition(".")[2]
        if set(name.split(".")) & _HARMLESS:
            return Reach.NOBODY
        if _CLIENT_CALLS.search(name):
            return Reach.CLIENT
        if last == "map" and node.arguments and isinstance(node.arguments[0], Function):
            return self._mapped(node, node.arguments[0], depth)
        if last not in _KEEPS:
            return Reach.NOBODY
        inside = [node.callee.object] if isinstance(node.callee, Member) else []
        return max((self.reach(n, depth + 1) for n in [*inside, *node.arguments]), default=Reach.NOBODY)

    def _mapped(self, node: Call, function: Function, depth: int) -> Reach:
        """Follow `items.map(item => ...)`: it matters only where the item becomes text itself."""
        names = {n.name for p in function.parameters[:1] for n in walk(p.target) if isinstance(n, Name)}
        given = [function.body]
        if isinstance(function.body, Block):
            given = [n.value for n in walk(function.body) if isinstance(n, Return) and n.value is not None]
        used = any(isinstance(n, Name) and n.name in names for g in given for n in walk(g))
        if not used or not isinstance(node.callee, Member):
            return Reach.NOBODY
        return self.reach(node.callee.object, depth + 1)

    def _widest(self, node: Node, depth: int) -> Reach:
        parts: list[Node] = []
        if isinstance(node, Binary):
            parts = [node.left, node.right]
        elif isinstance(node, Conditional):
            parts = [node.then, node.otherwise]
        elif isinstance(node, Template):
            parts = node.holes
        elif isinstance(node, Array):
            parts = node.items
        return max((self.reach(p, depth + 1) for p in parts), default=Reach.NOBODY)

    def _of_name(self, name: str, depth: int) -> Reach:
        if name.isupper() or name in self._open:
            return Reach.NOBODY
        self._open.add(name)
        try:
            found = [self.reach(v, depth + 1) for v in self._values(name)]
        finally:
            self._open.discard(name)
        if found:
            return max(found)
        return self._parameter(name, depth) or Reach.NOBODY

    def _parameter(self, name: str, depth: int = 0) -> Reach | None:
        """Say who chooses a parameter; `None` where no function around has one of that name."""
        for number, function in enumerate(self._functions):
            for parameter in function.parameters:
                names = _names(parameter.target)
                if name not in names:
                    continue
                if _is_narrow(parameter.type):
                    return Reach.NOBODY
                outer = self._functions[number + 1 :]
                if over := _gone_over(function, outer):
                    return self.reach(over, depth + 1)
                acts = not outer and "use server" in (self._file.directive, function.directive)
                handles = bool(_ROUTE.search(self._file.path)) and function.name in _METHODS
                client = acts or handles or names & {"req", "request", "input", "searchParams"}
                return Reach.CLIENT if client else Reach.CALLER
        return None

    def _values(self, name: str) -> list[Node]:
        """Give what a name was declared as, in the functions around or in the file."""
        for function in self._functions:
            if found := [v for n in walk(function.body) if (v := _given(n, name)) is not None]:
                return found
            if any(name in _names(p.target) for p in function.parameters):
                return []
        top = self._file.definitions.get(name)
        return [top] if top is not None and not isinstance(top, Function) else []

    def is_tested(self, hole: Node) -> bool:
        """Tell whether the program holds the value against a list, a table or a pattern."""
        name = dotted(hole)
        checked = _SCHEMA.format(name=re.escape(name.rpartition(".")[2]))
        if re.search(checked, self._files.text(self._file.path)):
            return True
        return any(_tests(node, name) for function in self._functions for node in walk(function.body))


def _tests(node: Node, name: str) -> bool:
    if isinstance(node, Binary) and node.operator == "in":
        return dotted(node.left) == name
    if isinstance(node, Binary) and node.operator in ("===", "=="):
        return dotted(node.left) == name and isinstance(node.right, Text) and bool(node.right.value)
    if not isinstance(node, Call) or node.name.rpartition(".")[2] not in ("includes", "has", "test", "match"):
        return False
    return any(dotted(n) == name for a in [node.callee, *node.arguments] for n in walk(a))


def _gone_over(function: Function, outer: list[Function]) -> Node | None:
    """Give the list whose items a nameless function gets one by one."""
    for place in outer[:1] if not function.name else ():
        for node in walk(place.body):
            if isinstance(node, Call) and any(a is function for a in node.arguments):
                return node.callee.object if isinstance(node.callee, Member) else None
    return None


def _given(node: Node, name: str) -> Node | None:
    """Give what a declaration or a loop gives a name."""
    if isinstance(node, Declare) and node.value is not None:
        return _declared(node.target, node.value, name)
    if isinstance(node, Loop) and node.target is not None and name in _names(node.target):
        return node.value
    return None


def _names(target: Node) -> set[str]:
    return {n.name for n in walk(target) if isinstance(n, Name)}


def _declared(target: Node, value: Node, name: str) -> Node | None:
    if isinstance(target, Name):
        return value if target.name == name else None
    return value if isinstance(target, Object | Array) and name in _names(target) else None


def _in_quotes(node: Binary) -> bool:
    left = node.left
    while isinstance(left, Binary):
        left = left.right
    return isinstance(left, Text) and left.value.rstrip("%").endswith("'")


def _is_narrow(written: str) -> bool:
    """Tell whether a written type leaves no room for SQL."""
    bare = written.strip().lstrip(":").strip()
    return bool(re.fullmatch(r"(?:number|boolean|bigint|Date)(?:\[\])?", bare)) or bool(
        bare and re.fullmatch(r"\|?\s*(?:[\"'][^\"']*[\"']\s*\|?\s*)+", bare)
    )
