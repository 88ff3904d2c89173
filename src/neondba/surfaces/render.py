"""Show a result by its type. A result type may bring its own forms; no capability is named here.

A model's `as_text(width)` and the methods in `_OWN` are used where they exist; the formats that a command
offers follow from them. Everything else becomes blocks (`blocks.py`).
"""

from __future__ import annotations

import json
import re
from typing import Any

from neondba.core.operation import Operation
from neondba.core.plan import Plan
from neondba.core.problem import ArgumentProblem
from neondba.surfaces.blocks import Block, Lines, Pairs, Table, blocks_of

_OWN = {
    "markdown": "as_markdown",
    "html": "as_html",
    "sarif": "as_sarif",
    "github": "as_github",
    "env": "as_env",
    "sql": "as_sql",
    "csv": "as_csv",
}


_STEERING = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control characters that JSON leaves as they are, and marks that hide or reorder text."""


def formats(operation: Operation) -> tuple[str, ...]:
    """Give the formats that an operation's result can be shown in."""
    own = [name for name, method in _OWN.items() if hasattr(operation.result, method)]
    return ("terminal", "json", *own)


def check_format(operation: Operation, wanted: str) -> None:
    """Refuse a format before anything is done.

    Raises:
        ArgumentProblem: the result has no such form.
    """
    if wanted not in formats(operation):
        raise ArgumentProblem(
            "format-unsupported",
            f"{operation.name} cannot be shown as {wanted}.",
            hint=f"It can be shown as: {', '.join(formats(operation))}.",
            operation=operation.name,
        )


def render(operation: Operation, result: Any, wanted: str, width: int, *, ascii_only: bool = False) -> str:
    """Give a result as text in one of the formats."""
    if wanted in _OWN and not isinstance(result, Plan):
        own = getattr(result, _OWN[wanted])()
        return own if isinstance(own, str) else as_json(own, ascii_only=ascii_only)
    if wanted == "json":
        return as_json(operation.dump(result), ascii_only=ascii_only)
    return text(result, width)


def as_json(data: Any, *, ascii_only: bool = False) -> str:
    """Give data as JSON in which no character steers a terminal or turns the direction of a line."""
    written = json.dumps(data, indent=2, ensure_ascii=ascii_only)
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def text(result: Any, width: int) -> str:
    """Give a result as plain text."""
    return "\n\n".join(_plain(block) for block in blocks_of(result, width))


def _plain(block: Block) -> str:
    title = f"{block.title}:\n" if block.title else ""
    if isinstance(block, Lines):
        return title + (_indented(block.text) if block.title else block.text)
    if isinstance(block, Pairs):
        left = max((len(name) for name, _ in block.rows), default=0)
        return title + "\n".join(f"{name:<{left}}  {value}".rstrip() for name, value in block.rows)
    return title + _columns(block)


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())


def _columns(table: Table) -> str:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    return "\n".join(
        "  ".join(f"{one:<{w}}" for one, w in zip(row, widths, strict=True)).rstrip() for row in rows
    )
