"""Statements that a program sends as SQL text."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from neondba.postgres.row_statement import Held, read_rows
from neondba.project.isolation.values import NOTHING, Cond, Query, Row, Table, Thing, Value, joined
from neondba.project.sql_text import constant_text

if TYPE_CHECKING:
    from neondba.project.isolation.reader import Reader

RUNNING = frozenset(
    {"execute", "exec", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val", "scalars",
     "scalar", "exec_driver_sql", "execute_query", "fetch_rows", "query", "fetchone", "fetchall"}
)  # fmt: skip
ASKS = re.compile(r"\s*(?:select|insert|update|delete|with)\s", re.IGNORECASE)
MARK = re.compile(
    r"%\((?P<named>\w+)\)s|(?<![:\w]):(?P<bound>[A-Za-z_]\w*)|\$(?P<number>\d+)|(?P<next>%s)|(?P<mixed> \? )"
)
MIXED = 9999
"""Number of the parameter that stands for what is glued into the text."""


def sent(reader: Reader, node: ast.Call, name: str) -> Value | None:
    """Give the rows of a statement that is sent as text; `None` for other calls."""
    if name not in RUNNING or not node.args or not isinstance(node.func, ast.Attribute):
        return None
    if not reader.world.tables:
        return None
    first, bound = node.args[0], node.keywords
    while isinstance(first, ast.Call):
        inner = first.func.attr if isinstance(first.func, ast.Attribute) else getattr(first.func, "id", "")
        if inner in ("bindparams", "params") and isinstance(first.func, ast.Attribute):
            bound, first = [*bound, *first.keywords], first.func.value
        elif inner in ("text", "SQL", "dedent") and first.args:
            first = first.args[0]
        else:
            return None
    if not isinstance(first, ast.Constant | ast.JoinedStr | ast.Name | ast.BinOp):
        return None
    written = constant_text(reader.file, reader.function, first, 0)
    if not ASKS.match(written) or len(written) > 20_000:
        return None
    return _asked(reader, node, written, {k.arg: reader.value(k.value) for k in bound if k.arg})


def _asked(reader: Reader, node: ast.Call, written: str, named: dict[str, Value]) -> Value | None:
    numbers: dict[str, int] = {}
    statement = read_rows(MARK.sub(lambda m: f" ${_number(m, numbers)} ", written))
    if statement is None:
        return None
    tables = [reader.world.tables[t] for t in statement.tables if t in reader.world.tables]
    if not tables:
        return None
    given = _Given(reader, node, numbers, named)
    query = Query(
        statement.kind, Value(Table(m) for m in tables), reader.file.path, node.lineno, reader.function,
        counts=statement.counts, staff=reader.staff, order=tuple(tables),
    )  # fmt: skip
    for held in statement.conditions:
        column = f"!{held.column}" if held.differs else held.column
        query.conditions.append(Cond(column, given.value(held), held.constant, node.lineno))
    for held in statement.assigned:
        query.conditions.append(Cond(f"={held.column}", given.value(held), False, node.lineno))
    reader.summary.queries.append(query)
    rows: Value = Value({Row(query)})
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(receiver, ast.Name) and receiver.id in reader.names and "cur" in receiver.id:
        reader.names[receiver.id] = rows
    return rows


def _number(mark: re.Match[str], numbers: dict[str, int]) -> int:
    """Number a placeholder: by its name, its own number, or its turn."""
    if mark["number"]:
        return int(mark["number"])
    if mark["mixed"]:
        return MIXED
    name = mark["named"] or mark["bound"] or f"%{len(numbers)}"
    return numbers.setdefault(name, len(numbers) + 1)


class _Given:
    """The values that are sent with a statement."""

    def __init__(
        self, reader: Reader, node: ast.Call, numbers: dict[str, int], named: dict[str, Value]
    ) -> None:
        self.names = {number: name for name, number in numbers.items()}
        rest = node.args[1:]
        self.places = [reader.value(a) for a in rest]
        self.named = dict(named)
        if len(rest) == 1 and isinstance(rest[0], ast.Tuple | ast.List):
            self.places = [reader.value(e) for e in rest[0].elts]
        for atom in joined(self.places):
            if isinstance(atom, Thing):
                self.named |= atom.fields.values

    def value(self, held: Held) -> Value:
        """Give what a column is held against."""
        return joined(self._one(number) for number in held.parameters)

    def _one(self, number: int) -> Value:
        name = self.names.get(number, "")
        if name in self.named:
            return self.named[name]
        if self.named and name and not name.startswith("%"):
            return NOTHING
        return self.places[number - 1] if 0 < number <= len(self.places) else NOTHING
