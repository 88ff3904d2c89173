"""Names and texts of a project as others may show them: nothing in them steers a reader's program."""

from __future__ import annotations


def name(text: str) -> str:
    """Give a path or a name on one line, without control, format or override characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def prose(text: str) -> str:
    """Give a text with its line breaks and tabs, without any other control character."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
