"""Follow values through statements, branch by branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from neondba.project.typescript import members, uses
from neondba.project.typescript.nodes import (
    Binary,
    Block,
    Call,
    Class,
    Declare,
    Function,
    If,
    Loop,
    Member,
    Name,
    Node,
    Return,
    Several,
    Throw,
    Try,
    Unary,
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
    for number, one in enumerate(body):
        if statement(ip, one, scope, returned):
            return True
        if isinstance(one, Declare):
            uses.note(one, scope, body[number + 1 :])
    return False


def statement(ip: Interpreter, node: Node, scope: Scope, returned: list[Value]) -> bool:
    """Follow one statement; tell whether the function always ends in it."""
    made = _STATEMENTS.get(type(node))
    return made(ip, node, scope, returned) if made is not None else _leaves(ip, node, scope)


def _nested(ip: Interpreter, node: Block, scope: Scope, returned: list[Value]) -> bool:
    return block(ip, node.body, scope, returned)


def _declare(ip: Interpreter, node: Declare, scope: Scope, _returned: list[Value]) -> bool:
    ip.bind(node.target, ip.value(node.value, scope), scope)
    return False


def _return(ip: Interpreter, node: Return, scope: Scope, returned: list[Value]) -> bool:
    returned.append(ip.value(node.value, scope))
    return True


def _throw(ip: Interpreter, node: Throw, scope: Scope, _returned: list[Value]) -> bool:
    ip.value(node.value, scope)
    return True


def _loop(ip: Interpreter, node: Loop, scope: Scope, returned: list[Value]) -> bool:
    given = ip.value(node.value, scope)
    if node.target is not None:
        target = node.target.target if isinstance(node.target, Declare) else node.target
        ip.bind(target, item_of(given), scope)
    statement(ip, node.body, scope, returned)
    return False


def _try(ip: Interpreter, node: Try, scope: Scope, returned: list[Value]) -> bool:
    ended = statement(ip, node.body, scope, returned)
    for part in (node.handler, node.finalizer):
        if part is not None:
            statement(ip, part, scope, returned)
    return ended and node.handler is None


def _several(ip: Interpreter, node: Several, scope: Scope, returned: list[Value]) -> bool:
    ends = [statement(ip, part, scope, returned) for part in node.parts]
    return any(ends)


def _named(ip: Interpreter, node: Function | Class, scope: Scope, _returned: list[Value]) -> bool:
    scope.names.setdefault(node.name, ip.value(node, scope))
    return False


def _leaves(ip: Interpreter, node: Node, scope: Scope) -> bool:
    ip.value(node, scope)
    return isinstance(node, Call) and node.name in LEAVING


def _names_caller(ip: Interpreter, test: Node, scope: Scope) -> bool:
    """Tell whether a test asks if there is a caller: `session`, `!session?.user`."""
    while isinstance(test, Unary | Binary):
        test = test.value if isinstance(test, Unary) else test.left
    if not isinstance(test, Name | Member):
        return False
    return any(kind == "caller" for kind, _ in ip.value(test, scope).origins)


def _is_refusal(test: Node) -> bool:
    """Tell whether a test is true for a stranger: `!session`, `user === null`."""
    while isinstance(test, Binary) and test.operator in ("||", "&&", "??"):
        test = test.left
    if isinstance(test, Unary):
        return test.operator == "!"
    return isinstance(test, Binary) and test.operator in ("==", "===", "!=", "!==")


def _if(ip: Interpreter, node: If, scope: Scope, returned: list[Value]) -> bool:
    run = ip.run
    tested = ip.value(node.test, scope)
    members.asked(ip, tested)
    if any(kind == "caller" for kind, _ in tested.origins) or _names_caller(ip, node.test, scope):
        run.optional = run.optional or not _is_refusal(node.test)
        run.refused = run.refused or _is_refusal(node.test)
    before = (run.vouched.copy(), run.staff)
    then = statement(ip, node.then, scope, returned)
    after = (run.vouched, run.staff)
    # What was checked on a way that ends is not checked on the way that goes on.
    run.vouched, run.staff = (before[0].copy(), before[1]) if then else (after[0].copy(), after[1])
    if node.otherwise is None:
        return False
    otherwise = statement(ip, node.otherwise, scope, returned)
    if otherwise and not then:
        run.vouched, run.staff = after
    return then and otherwise


Followed = Callable[["Interpreter", Any, Scope, list[Value]], bool]
_STATEMENTS: dict[type[Node], Followed] = {
    Block: _nested, Declare: _declare, If: _if, Return: _return, Throw: _throw, Loop: _loop, Try: _try,
    Several: _several, Function: _named, Class: _named,
}  # fmt: skip
