"""Make edits of whole lines from places in a syntax tree: what rules offer for `--fix`.

Each function gives no edit where the text is not as plain as it has to be; then a person decides.
"""

from __future__ import annotations

import ast
import re

from neondba.review.finding import Edit


def rows(text: str) -> list[str]:
    """Give a text's lines as edits name them."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def replaced(path: str, text: str, node: ast.expr, new: str) -> tuple[Edit, ...]:
    """Put other source in the place of an expression."""
    last = node.end_lineno or node.lineno
    old = rows(text)[node.lineno - 1 : last]
    start, end = _column(old[0], node.col_offset), _column(old[-1], node.end_col_offset or 0)
    made = old[0][:start] + new + old[-1][end:]
    return (Edit(path, node.lineno, "\n".join(old), made),)


def inserted(path: str, text: str, line: int, column: int, new: str) -> tuple[Edit, ...]:
    """Put source before a place in a line; the column counts bytes, as in a syntax tree."""
    old = rows(text)[line - 1]
    at = _column(old, column)
    return (Edit(path, line, old, old[:at] + new + old[at:]),)


def with_keywords(path: str, text: str, call: ast.Call, **values: str) -> tuple[Edit, ...]:
    """Give a call more keyword arguments, in the shape that it has."""
    given = {keyword.arg for keyword in call.keywords}
    if None in given or any(isinstance(arg, ast.Starred) for arg in call.args) or given & values.keys():
        return ()
    written = [f"{name}={value}" for name, value in values.items()]
    last = max([*call.args, *(k.value for k in call.keywords)], key=_end, default=None)
    if last is None:
        row, column = call.end_lineno or call.lineno, (call.end_col_offset or 1) - 1
        return inserted(path, text, row, column, ", ".join(written))
    first, stop = last.end_lineno or last.lineno, call.end_lineno or call.lineno
    old = rows(text)[first - 1 : stop]
    at, close = _column(old[0], last.end_col_offset or 0), _column(old[-1], (call.end_col_offset or 1) - 1)
    if first == stop:
        between = old[0][at:close].strip()
        if between not in ("", ","):
            return ()
        made = old[0][:at] + "".join(f", {one}" for one in written) + old[0][close:]
        return (Edit(path, first, old[0], made),)
    return _on_own_lines(path, first, old, at, close, written)


def _on_own_lines(
    path: str, first: int, old: list[str], at: int, close: int, written: list[str]
) -> tuple[Edit, ...]:
    """Add arguments to a call whose closing bracket stands on a line of its own."""
    rest = re.fullmatch(r"\s*(,?)\s*(#.*)?", old[0][at:])
    if rest is None or old[-1][:close].strip() or any(x.strip() and x.strip()[0] != "#" for x in old[1:-1]):
        return ()
    indent = old[0][: len(old[0]) - len(old[0].lstrip())]
    if not old[0].strip().startswith(tuple("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_\"'")):
        return ()
    head = old[0] if rest[1] else old[0][:at] + "," + old[0][at:]
    made = [head, *old[1:-1], *(f"{indent}{one}," for one in written), old[-1]]
    return (Edit(path, first, "\n".join(old), "\n".join(made)),)


def without_keyword(path: str, text: str, call: ast.Call, name: str) -> tuple[Edit, ...]:
    """Take a keyword argument out of a call, together with its comma."""
    keyword = next((k for k in call.keywords if k.arg == name), None)
    if keyword is None or keyword.lineno != keyword.end_lineno:
        return ()
    old = rows(text)[keyword.lineno - 1]
    start, end = _column(old, keyword.col_offset), _column(old, keyword.end_col_offset or 0)
    if not old[:start].strip() and re.fullmatch(r"\s*,?\s*", old[end:]):
        return (Edit(path, keyword.lineno, old, ""),)
    if before := re.search(r",\s*$", old[:start]):
        made = old[: before.start()] + old[end:]
    elif after := re.match(r"\s*,\s*", old[end:]):
        made = old[:start] + old[end + after.end() :]
    else:
        return ()
    return (Edit(path, keyword.lineno, old, made),)


def appended(path: str, text: str | None, *lines: str) -> tuple[Edit, ...]:
    """Put lines at the end of a file, or make the file."""
    new = "\n".join(lines)
    if text is None:
        return (Edit(path, 1, "", new),)
    every = rows(text)
    if every[-1] == "":
        every.pop()
    if not every or not every[-1]:
        return ()
    return (Edit(path, len(every), every[-1], f"{every[-1]}\n{new}"),)


def below(path: str, text: str, line: int, *lines: str) -> tuple[Edit, ...]:
    """Put lines below a line."""
    old = rows(text)[line - 1]
    return (Edit(path, line, old, "\n".join([old, *lines])),)


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _column(line: str, offset: int) -> int:
    """Turn a column of the syntax tree, which counts bytes of UTF-8, into one of characters."""
    return len(line.encode()[:offset].decode(errors="ignore"))
