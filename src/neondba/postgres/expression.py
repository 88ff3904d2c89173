"""Read one SQL expression that may hold names, constants, operators and calls, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

INSIDE: Final[dict[str, tuple[str, ...]]] = {
    "func_call": ("args",),
    "type_cast": ("arg",),
    "a_expr": ("lexpr", "rexpr"),
    "a_array_expr": ("elements",),
    "named_arg_expr": ("arg",),
    "coalesce_expr": ("args",),
    "min_max_expr": ("args",),
    "case_expr": ("arg", "args", "defresult"),
    "case_when": ("expr", "result"),
    "null_test": ("arg",),
    "bool_expr": ("args",),
    "list": ("items",),
    "a_const": (),
    "column_ref": (),
    "sqlvalue_function": (),
}
"""The kinds of nodes that are let in, and where they hold others: no query is among them."""


@dataclass(frozen=True)
class Expression:
    """An expression that was read, and whose names it uses."""

    text: str
    """As SQL again: no comment or second statement of the source is in it."""
    calls: tuple[tuple[str, str], ...]
    """Schema, empty where none is written, and name of each function."""
    columns: tuple[str, ...]


def read(text: str) -> Expression:
    """Read an expression.

    Raises:
        SyntaxError: it is none, or holds more than names, constants, operators and calls.
    """
    import postgast

    from neondba.postgres.statements import expression_text

    try:
        statements = postgast.parse(f"select {text}").stmts
    except postgast.PgQueryError as wrong:
        raise SyntaxError(str(wrong)) from None
    select = statements[0].stmt.select_stmt if len(statements) == 1 else None
    told = {field.name for field, _ in select.ListFields()} if select is not None else set()
    if select is None or told - {"target_list", "limit_option", "op"} or len(select.target_list) != 1:
        raise SyntaxError("it is not one expression")
    target = select.target_list[0].res_target
    if target.name:
        raise SyntaxError("it is not one expression")
    nodes = list(_nodes(target.val))
    calls = tuple(_call(node.func_call) for node in nodes if node.WhichOneof("node") == "func_call")
    columns = tuple(_column(node.column_ref) for node in nodes if node.WhichOneof("node") == "column_ref")
    return Expression(expression_text(target.val), calls, columns)


def _nodes(node: Any) -> Iterator[Any]:
    kind = node.WhichOneof("node")
    if kind not in INSIDE:
        raise SyntaxError(f"{kind or 'nothing'} is not allowed in it".replace("_", " "))
    yield node
    inner = getattr(node, kind)
    for field in INSIDE[kind]:
        value = getattr(inner, field)
        if not hasattr(value, "WhichOneof"):
            for each in value:
                yield from _nodes(each)
        elif inner.HasField(field):
            yield from _nodes(value)


def _call(call: Any) -> tuple[str, str]:
    if call.agg_star or call.agg_distinct or call.agg_order or call.HasField("over"):
        raise SyntaxError("aggregates are not allowed in it")
    names = [each.string.sval for each in call.funcname]
    return (names[-2] if len(names) > 1 else "", names[-1])


def _column(reference: Any) -> str:
    names: list[str] = [each.string.sval for each in reference.fields]
    if not all(names):
        raise SyntaxError("a star is not allowed in it")
    return names[-1]
