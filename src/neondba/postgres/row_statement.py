"""Which rows a statement asks for: its tables, and what its columns are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

KINDS: Final = {
    "select_stmt": "select",
    "insert_stmt": "insert",
    "update_stmt": "update",
    "delete_stmt": "delete",
}
EQUAL: Final = frozenset({"=", "~~", "~~*"})


@dataclass(frozen=True)
class Held:
    """A column, and the parameters or constants that it is compared with or set to."""

    column: str
    parameters: tuple[int, ...]
    constant: bool = False
    differs: bool = False
    """Whether the column must not be equal to them."""


@dataclass(frozen=True)
class RowStatement:
    """A SELECT, INSERT, UPDATE or DELETE as far as rows are concerned."""

    kind: str
    tables: tuple[str, ...]
    """Names without schema, in lower case; the one that is changed, or read first, comes first."""
    conditions: tuple[Held, ...] = ()
    assigned: tuple[Held, ...] = ()
    counts: bool = False
    """Only aggregates are read."""


@lru_cache(maxsize=2048)
def read_rows(sql: str) -> RowStatement | None:
    """Read one statement with numbered parameters; `None` for others and for what is no SQL."""
    import postgast

    try:
        statements = postgast.parse(sql).stmts
    except (postgast.PgQueryError, ValueError, RecursionError):
        return None
    node = statements[0].stmt if len(statements) == 1 else None
    kind = node.WhichOneof("node") if node is not None else None
    if node is None or kind not in KINDS:
        return None
    body = getattr(node, kind)
    names = [n.relname.lower() for n in _every(body, "RangeVar")]
    common = {n.ctename.lower() for n in _every(body, "CommonTableExpr")}
    target = body.relation.relname.lower() if kind != "select_stmt" else ""
    tables = tuple(dict.fromkeys(n for n in [target, *names] if n and n not in common))
    if not tables:
        return None
    assigned = tuple(_assigned(body, kind))
    counts = kind == "select_stmt" and _counts(body)
    return RowStatement(KINDS[kind], tables, tuple(_conditions(body)), assigned, counts)


def _every(message: Any, name: str) -> Iterator[Any]:
    """Give every part of a tree that is of one type, outer ones first."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        if part.DESCRIPTOR.name == name:
            yield part
        for field, value in part.ListFields():
            if field.message_type is not None:
                waiting.extend(value if _repeats(value) else [value])


def _repeats(value: Any) -> bool:
    return not hasattr(value, "ListFields")


def _conditions(body: Any) -> Iterator[Held]:
    for expression in _every(body, "A_Expr"):
        name = expression.name[0].string.sval if expression.name else ""
        if name not in EQUAL and name != "<>":
            continue
        left, right = expression.lexpr, expression.rexpr
        for column, value in ((left, right), (right, left)):
            named = _column(column)
            if named and not _column(value):
                yield Held(
                    named, _parameters(value), bool(list(_every(value, "A_Const"))), differs=name == "<>"
                )
                break


def _column(node: Any) -> str:
    """Give the column that an expression is, cast or converted as it may be."""
    found = list(_every(node, "ColumnRef"))
    if len(found) != 1 or any(True for _ in _every(node, "SelectStmt")):
        return ""
    fields = found[0].fields
    return str(fields[-1].string.sval).lower() if fields else ""


def _parameters(node: Any) -> tuple[int, ...]:
    return tuple(p.number for p in _every(node, "ParamRef"))


def _assigned(body: Any, kind: str) -> Iterator[Held]:
    if kind == "update_stmt":
        for target in body.target_list:
            set_to = target.res_target
            yield Held(set_to.name.lower(), _parameters(set_to.val))
    elif kind == "insert_stmt":
        rows = body.select_stmt.select_stmt.values_lists
        values = rows[0].list.items if rows else []
        for column, value in zip(body.cols, values, strict=False):
            yield Held(column.res_target.name.lower(), _parameters(value))


def _counts(body: Any) -> bool:
    targets = [t.res_target.val for t in body.target_list]
    calls = [t.func_call.funcname[-1].string.sval for t in targets if t.WhichOneof("node") == "func_call"]
    return (
        bool(targets)
        and len(calls) == len(targets)
        and all(c in ("count", "sum", "avg", "min", "max") for c in calls)
    )
