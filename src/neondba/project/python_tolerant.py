"""Parse Python of any age: newer than the running one, older, or broken."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass
class Parsed:
    """A syntax tree, and what did not make it into it."""

    tree: ast.Module | None
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason."""


def parse(text: str) -> Parsed:
    """Parse a file's text; never raises."""
    try:
        return Parsed(ast.parse(text))
    except (RecursionError, MemoryError):
        return Parsed(None, [(1, "nested too deeply")])
    except (SyntaxError, ValueError) as error:
        return Parsed(None, [(getattr(error, "lineno", 1) or 1, str(getattr(error, "msg", error)))])
