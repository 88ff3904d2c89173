"""Follow values through statements, branch by branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neondba.project.typescript import members
from neondba.project.typescript.nodes import (
    Block,
    Class,
    Declare,
    Function,
    If,
    Loop,
    Node,
    Return,
    Several,
    Throw,
    Try,
)  # fmt: skip
from neondba.project.typescript.values import Closure, Scope, Value, item_of

if TYPE_CHECKING:
    from neondba.project.typescript.evaluate import Interpreter

LEAVING = ("redirect", "notFound", "permanentRedirect", "unauthorized", "forbidden", "process.exit", "error")


def block(ip: Interpreter, body: list[Node], scope: Scope, returned: list[Value]) -> bool:
    """Follow statements in a row; tell whether the function always ends among them."""
    for one in body:
        if isinstance(one, Function) and one.name:
            scope.names[one.name] = Value(closure=Closure(one, scope), written=one.name)
    for one in body:
        if statement(ip, one, scope, returned):
            return True
    return False


def statement(ip: Interpreter, node: Node, scope: Scope, returned: list[Value]) -> bool:
    """Follow one statement; tell whether the function always ends in it."""
    if isinstance(node, Block):
        return block(ip, node.body, scope, returned)
    if isinstance(node, Declare):
        ip.bind(node.target, ip.value(node.value, scope), scope)
    elif isinstance(node, If):
        return _if(ip, node, scope, returned)
    elif isinstance(node, Return):
        returned.append(ip.value(node.value, scope))
        return True
    elif isinstance(node, Throw):
        ip.value(node.value, scope)
        return True
    elif isinstance(node, Loop):
        given = ip.value(node.value, scope)
        if node.target is not None:
            target = node.target.target if isinstance(node.target, Declare) else node.target
            ip.bind(target, item_of(given), scope)
        statement(ip, node.body, scope, returned)
    elif isinstance(node, Try):
        ended = statement(ip, node.body, scope, returned)
        for part in (node.handler, node.finalizer):
            if part is not None:
                statement(ip, part, scope, returned)
        return ended and node.handler is None
    elif isinstance(node, Several):
        return any([statement(ip, part, scope, returned) for part in node.parts])
    elif isinstance(node, Function | Class):
        given = ip.value(node, scope)
        scope.names.setdefault(node.name, given)
    else:
        return _leaves(ip, node, scope)
    return False


def _leaves(ip: Interpreter, node: Node, scope: Scope) -> bool:
    from neondba.project.typescript.nodes import Call

    ip.value(node, scope)
    return isinstance(node, Call) and node.name in LEAVING


def _if(ip: Interpreter, node: If, scope: Scope, returned: list[Value]) -> bool:
    run = ip.run
    members.asked(ip, ip.value(node.test, scope), node.line)
    before, staff = run.vouched.copy(), run.staff
    then = statement(ip, node.then, scope, returned)
    if then:
        # What was checked on a way that ended is not checked on the way that goes on.
        if run.callers:
            run.refused = True
        run.vouched, run.staff = before.copy(), staff
    if node.otherwise is None:
        return False
    otherwise = statement(ip, node.otherwise, scope, returned)
    if otherwise and not then:
        run.vouched, run.staff = before, staff
    return then and otherwise
