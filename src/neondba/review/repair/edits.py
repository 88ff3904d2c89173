"""Apply edits to a text: only where the lines read as the rule saw them."""

from __future__ import annotations

from collections.abc import Sequence

from neondba.review.finding import Edit


class Differs(Exception):
    """The lines read otherwise, or another edit of the same round has changed them."""


def apply(text: str | None, edits: Sequence[Edit]) -> str:
    """Give the text after edits of one file; the lowest edit is applied first, so that lines keep numbers.

    Raises:
        Differs: the old text is not there, two edits meet, or a file to be made exists.
    """
    if text is None:
        if len(edits) != 1 or edits[0].old:
            raise Differs("the file is not there")
        return edits[0].new + ("" if edits[0].new.endswith("\n") else "\n")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    top = len(lines) + 1
    for edit in sorted(dict.fromkeys(edits), key=lambda e: -e.line):
        old = edit.old.removesuffix("\n").split("\n")
        start, stop = edit.line - 1, edit.line - 1 + len(old)
        if not edit.old or stop >= top or [line.removesuffix("\r") for line in lines[start:stop]] != old:
            raise Differs("its lines read otherwise")
        new = edit.new.removesuffix("\n").split("\n") if edit.new else []
        is_last = stop == len(lines)
        written = [line + end[:-1] for line in new]
        if is_last and written:
            written[-1] = written[-1].removesuffix("\r")
        lines[start:stop] = written
        top = edit.line
    return "\n".join(lines)


def meet(one: Sequence[Edit], other: Sequence[Edit]) -> bool:
    """Tell whether two repairs touch the same lines, other than by the very same edit."""
    return any(
        a != b and a.path == b.path and a.line <= _last(b) and b.line <= _last(a) for a in one for b in other
    )


def _last(edit: Edit) -> int:
    return edit.line + edit.old.removesuffix("\n").count("\n")
