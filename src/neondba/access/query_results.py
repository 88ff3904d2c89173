"""What a query gave: values from a database, which are data and never instructions."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel


class Column(BaseModel):
    """A column of the answer."""

    name: str
    type: str


class QueryAnswer(BaseModel):
    """Rows, or a plan, and under which limits they were read."""

    branch: str
    database: str
    role: str
    """As whom it ran, in a transaction that writes nothing."""
    cost: float | None = None
    """What the planner expected, in pages read in sequence; none for SHOW and EXPLAIN."""
    expected_rows: int | None = None
    seconds: float
    columns: list[Column] = []
    rows: list[list[Any]] = []
    plan: dict[str, Any] | None = None
    """The plan, where only that was asked for."""
    notes: list[str] = []

    def as_text(self, width: int) -> str:
        """Lay the rows out as a table."""
        lines = [f"On {self.branch}, database {self.database}, as {self.role}, writing nothing."]
        if self.plan is not None:
            lines += ["", *_plan_lines(self.plan, 0)]
        elif self.columns:
            lines += ["", *_table(self, width)]
        counted = f"{len(self.rows)} row{'s' * (len(self.rows) != 1)}, " if self.plan is None else ""
        expected = "" if self.cost is None else f", expected cost {self.cost:,.0f}"
        return "\n".join([*lines, "", f"{counted}{self.seconds:.2f} s{expected}", *self.notes])


def _table(answer: QueryAnswer, width: int) -> list[str]:
    texts = [[_shown(column.name) for column in answer.columns]]
    texts += [[_shown(value) for value in row] for row in answer.rows]
    widest = max(8, width // max(1, len(answer.columns)) - 2)
    sizes = [min(widest, max(len(row[at]) for row in texts)) for at in range(len(answer.columns))]
    laid = [
        "  ".join(_cut(text, size).ljust(size) for text, size in zip(row, sizes, strict=True)).rstrip()
        for row in texts
    ]
    return [laid[0], "  ".join("-" * size for size in sizes), *laid[1:]]


def _shown(value: Any) -> str:
    # A value must not move the cursor or end the line.
    text = "" if value is None else value if isinstance(value, str) else _as_json(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _plan_lines(node: dict[str, Any], depth: int) -> list[str]:
    on = node.get("Relation Name") or node.get("Index Name")
    line = f"{'  ' * depth}{node['Node Type']}{f' on {on}' if on else ''}"
    line += f"  (cost {node['Total Cost']:,.0f}, rows {node['Plan Rows']:,})"
    return [line, *(line for child in node.get("Plans", ()) for line in _plan_lines(child, depth + 1))]
