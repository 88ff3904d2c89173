"""Statements in a row, in TypeScript functions."""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.orm_calls import OrmCalls, Use, names_in
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.nodes import (
    Assign,
    Block,
    Call,
    Class,
    Declare,
    Function,
    Member,
    Name,
    Node,
    Return,
    Several,
    children,
)  # fmt: skip


def own_nodes(node: Node) -> Iterator[Node]:
    """Give what is inside a node, without the insides of other functions."""
    yield node
    for child in children(node):
        if not isinstance(child, Function | Class):
            yield from own_nodes(child)


def blocks(function: Function) -> Iterator[Block]:
    """Give the lists of statements of a function itself."""
    for node in own_nodes(function.body):
        if isinstance(node, Block):
            yield node


def statements(block: Block) -> Iterator[Node]:
    """Give the statements of a block, `const a = 1, b = 2` as two."""
    for one in block.body:
        yield from one.parts if isinstance(one, Several) else [one]


def value_of(statement: Node) -> Node:
    """Give the expression that a statement is about."""
    if isinstance(statement, Declare | Return) and statement.value is not None:
        return statement.value
    return statement.value if isinstance(statement, Assign) else statement


def sent(calls: OrmCalls, statement: Node) -> Use | None:
    """Give the statement to the database that a statement of the code is."""
    value = value_of(statement)
    if not isinstance(value, Call):
        return None
    return next((u for u in calls.uses(value) if u.node is value), None)


def transaction_clients(file: TypeScriptFile) -> set[str]:
    """Give the names under which callbacks of transactions know their client."""
    found = {"tx", "trx", "transaction"}
    for call in file.calls_of("transaction", "$transaction"):
        for argument in call.arguments:
            if isinstance(argument, Function) and argument.parameters:
                target = argument.parameters[0].target
                found |= {target.name} if isinstance(target, Name) else set()
    return found


def origins(function: Function) -> dict[str, set[str]]:
    """Give for each variable of a function the names that its value was made of, all the way back."""
    made: dict[str, set[str]] = {}
    for node in own_nodes(function.body):
        if isinstance(node, Declare) and node.value is not None:
            for name in sorted(names_in(node.target)):
                made.setdefault(name, set()).update(names_in(node.value))
    for _ in range(3):
        for name, sources in made.items():
            made[name] = sources | {s for source in sources for s in made.get(source, ())}
    return made


def is_member(node: Node, row: str, name: str) -> bool:
    """Tell whether a node is `row.name`."""
    return (
        isinstance(node, Member)
        and node.name == name
        and isinstance(node.object, Name)
        and node.object.name == row
    )
