"""The help pages that name commands. They import nothing heavy: they must come at once."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

Row = tuple[str, str]

_STATUSES = (
    "Exit status: 0 done, 1 findings, 2 arguments, 3 credentials, 4 not found, 5 conflict, "
    "6 needs confirmation, 7 remote trouble, 130 interrupted."
)


def everything(commands: Iterable[tuple[tuple[str, ...], str]], width: int) -> str:
    """Show every command in one page."""
    lone: list[Row] = []
    groups: dict[str, list[Row]] = {}
    for words, summary in commands:
        row = (" ".join(words), summary)
        (groups.setdefault(words[0], []) if len(words) > 1 else lone).append(row)
    rows = [*lone, *(row for group in groups.values() for row in group)]
    lines = ["neondba: the database administrator for projects on Neon.", ""]
    lines += ["Usage: neondba COMMAND [OPTIONS]", ""]
    lines += table(rows, width)
    lines += ["", "Details: neondba COMMAND --help. Version: neondba --version."]
    lines += textwrap.wrap(_STATUSES, width)
    return "\n".join(lines)


def group(name: str, rows: Sequence[tuple[tuple[str, ...], str]], width: int) -> str:
    """Show the verbs of one group."""
    lines = [f"Usage: neondba {name} VERB [OPTIONS]", ""]
    lines += table([(" ".join(words[1:]), summary) for words, summary in rows], width)
    return "\n".join([*lines, "", f"Details: neondba {name} VERB --help"])


def table(rows: Sequence[Row], width: int) -> list[str]:
    """Lay two columns side by side, the second wrapped."""
    left = min(max((len(name) for name, _ in rows), default=0), 34)
    lines: list[str] = []
    for name, text in rows:
        wrapped = textwrap.wrap(text, max(20, width - left - 4)) or [""]
        first = f"  {name:<{left}}  {wrapped[0]}" if len(name) <= left else f"  {name}"
        rest = wrapped[1:] if len(name) <= left else wrapped
        lines += [first.rstrip(), *(" " * (left + 4) + line for line in rest)]
    return lines
