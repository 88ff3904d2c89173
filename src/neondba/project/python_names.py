"""Small questions about names in expressions."""

from __future__ import annotations

import ast


def mentions(node: ast.AST, names: set[str] | frozenset[str]) -> bool:
    """Tell whether an expression uses one of the names."""
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))


def called(call: ast.Call) -> str:
    """Give the last part of what is called."""
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
