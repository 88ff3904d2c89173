"""Loops over rows in TypeScript that send a query each time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.nodes import (
    Array,
    Call,
    Declare,
    Function,
    Loop,
    Member,
    Name,
    Node,
    Return,
    dotted,
    walk,
)  # fmt: skip
from neondba.review.rules.production._blocks import own_nodes

_EACH = frozenset({"map", "forEach", "flatMap"})
_FEW = re.compile(r"batch|chunk|retr|attempt|page|cursor|step|type|locale|provider|role", re.IGNORECASE)


def looped(calls: OrmCalls, file: TypeScriptFile) -> Iterator[tuple[Function, Use, str]]:
    """Give the reads about a loop's own row, with the function around and what the loop goes over."""
    for function, _ in calls.functions(file):
        constants = {
            n.target.name for n in own_nodes(function.body)
            if isinstance(n, Declare) and isinstance(n.target, Name) and isinstance(n.value, Array)
            and n.value.items
        }  # fmt: skip
        for node in own_nodes(function.body):
            rows, target, body = _loop(node)
            if target is None or body is None or rows is None or _is_few(rows, constants):
                continue
            names = names_in(target)
            for use in calls.uses(body):
                if use.kind in ("read", "list") and names & _asked(use, body) and not _ends(node, use):
                    yield function, use, dotted(rows).replace("?", "the rows")
                    break


def _loop(node: Node) -> tuple[Node | None, Node | None, Node | None]:
    """Give what a loop goes over, its variable and its body."""
    if isinstance(node, Loop):
        return node.value, node.target, node.body
    if (
        isinstance(node, Call)
        and isinstance(node.callee, Member)
        and node.callee.name in _EACH
        and node.arguments
    ):
        each = node.arguments[0]
        if isinstance(each, Function) and each.is_async and each.parameters:
            return node.callee.object, each.parameters[0].target, each.body
    return None, None, None


def _is_few(rows: Node, constants: set[str]) -> bool:
    """Tell whether a loop goes over a handful: a list in the code, batches, attempts."""
    if isinstance(rows, Array):
        return True
    if isinstance(rows, Name) and (rows.name in constants or rows.name.isupper()):
        return True
    said = dotted(rows)
    return bool(_FEW.search(said)) or said.endswith(("Object.keys", "Object.entries", "Object.values"))


def _asked(use: Use, body: Node) -> set[str]:
    """Give the names that a query asks by, and those they were made of in the loop."""
    names = names_in(use.node)
    for node in walk(body):
        if isinstance(node, Declare) and node.value is not None and names_in(node.target) & names:
            names |= names_in(node.value)
    return names


def _ends(loop: Node, use: Use) -> bool:
    """Tell whether a loop is a search that ends with the first hit."""
    return isinstance(loop, Loop) and any(
        isinstance(n, Return) and n.line > use.line for n in walk(loop.body)
    )
