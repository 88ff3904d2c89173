"""What a row serves for after it was read: asked whether it is there, or for the keys in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.typescript.nodes import (
    Array,
    Binary,
    Conditional,
    Constant,
    Declare,
    If,
    Member,
    Name,
    Node,
    Unary,
    walk,
)
from neondba.project.typescript.values import Scope

KEY = re.compile(r"^id$|_id$|I[dD]$")
EMPTY = frozenset({"null", "undefined"})


def note(declared: Declare, scope: Scope, rest: list[Node]) -> None:
    """Note on a statement what the code after it does with its row."""
    target = declared.target
    if isinstance(target, Array) and target.items:
        target = target.items[0]
    value = scope.names.get(target.name) if isinstance(target, Name) else None
    if value is None or value.statement is None or not isinstance(target, Name):
        return
    if value.statement.kind == "get" or isinstance(declared.target, Array):
        value.statement.used = _use(target.name, rest)


def _use(name: str, rest: list[Node]) -> str:
    nodes = [node for one in rest for node in walk(one)]
    uses = sum(isinstance(n, Name) and n.name == name for n in nodes)
    tested = sum(_tests(n.test, name) for n in nodes if isinstance(n, If | Conditional))
    keys = sum(
        isinstance(n, Member) and isinstance(n.object, Name) and n.object.name == name
        and bool(KEY.search(n.name))
        for n in nodes
    )  # fmt: skip
    if uses > tested + keys or (keys and not tested):
        return ""
    return "keys" if keys else "tested"


def _tests(test: Node, name: str) -> int:
    """Count how often a test asks whether a row is there."""
    return sum(isinstance(part, Name) and part.name == name for part in _asked(test))


def _asked(test: Node) -> Iterator[Node]:
    if isinstance(test, Unary) and test.operator == "!":
        yield from _asked(test.value)
    elif isinstance(test, Binary) and test.operator in ("&&", "||"):
        yield from _asked(test.left)
        yield from _asked(test.right)
    elif isinstance(test, Binary) and test.operator in ("==", "===", "!=", "!=="):
        if _is_empty(test.right):
            yield test.left
    elif isinstance(test, Name):
        yield test


def _is_empty(node: Node) -> bool:
    return (isinstance(node, Constant) and node.text in EMPTY) or (
        isinstance(node, Name) and node.name in EMPTY
    )
