"""Whether a function looks at the caller before it hands out or changes a row.

The question is answered generously: any comparison with the caller or with an owner column, and any
call that receives the caller, counts as a check. Only a function that never looks is left.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from neondba.project.owners import OWNER
from neondba.project.python import Function

TELLING = re.compile(
    r"log|audit|track|print|notify|metric|emit|event|capture|record_|debug|info|warn|trace", re.IGNORECASE
)
"""Names of calls that only tell of the caller."""
CONVERTING = frozenset(
    {"str", "int", "UUID", "uuid", "bool", "repr", "getattr", "get", "dict", "HTTPException", "print"}
)
CHECKING = re.compile(
    r"current_user|check|verify|require|ensure|assert_|authoriz|authz|permission|can_|has_|access|owner|member|belongs"
    r"|get_jwt|tenant|policy|allowed|protect|guard|visible|accessible|scoped",
    re.IGNORECASE,
)
OWNERSHIP = re.compile(
    r"owner|user_?id|author|tenant|org_id|organi[sz]ation_id|created_by|member|is_admin|role", re.IGNORECASE
)


_ASKING = (ast.Compare, ast.Call, ast.If, ast.IfExp)


def looks_at_caller(function: Function, principals: Iterable[str], models: frozenset[str]) -> bool:
    """Tell whether a function may check who is calling.

    `principals` are the names that carry the caller; `models` are names of row classes, whose
    construction with the caller's id is no check.
    """
    names = _aliases(function, set(principals), models)
    return any(_checks(node, names, models) for node in function.nodes if isinstance(node, _ASKING))


def _aliases(function: Function, names: set[str], models: frozenset[str]) -> set[str]:
    """Add the variables that are made from the caller."""
    for _ in range(2):
        for node in function.assignments:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = node.value
            if value is None or (isinstance(value, ast.Call) and called(value) in models):
                continue
            if (
                isinstance(value, ast.Call)
                and called(value) not in CONVERTING
                and not _is_inside(value, names)
            ):
                continue
            if mentions(value, names):
                names |= {t.id for t in targets if isinstance(t, ast.Name)}
    return names


def _is_inside(call: ast.Call, names: set[str]) -> bool:
    return isinstance(call.func, ast.Attribute) and mentions(call.func.value, names)


def _checks(node: ast.AST, names: set[str], models: frozenset[str]) -> bool:
    if isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
        if any(isinstance(p, ast.Constant) and p.value is None for p in parts):
            return False
        return any(mentions(p, names) or _names_owner(p) for p in parts)
    if isinstance(node, ast.Call):
        name = called(node)
        if CHECKING.search(name) and not name.startswith("HTTP"):
            return True
        if name in models or name in CONVERTING or TELLING.search(_dotted(node.func)):
            return False
        return any(mentions(a, names) for a in (*node.args, *(k.value for k in node.keywords)))
    if isinstance(node, ast.If | ast.IfExp):
        return any(isinstance(n, ast.Attribute) and mentions(n, names) for n in ast.walk(node.test))
    return False


def _names_owner(node: ast.AST) -> bool:
    return any(
        (isinstance(n, ast.Attribute) and (n.attr in OWNER or OWNERSHIP.search(n.attr)))
        or (isinstance(n, ast.Name) and OWNERSHIP.search(n.id))
        for n in ast.walk(node)
    )


def mentions(node: ast.AST, names: set[str] | frozenset[str]) -> bool:
    """Tell whether an expression uses one of the names."""
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))


def called(call: ast.Call) -> str:
    """Give the last part of what is called."""
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _dotted(node: ast.AST) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *parts]) if isinstance(node, ast.Name) else ".".join(parts)
