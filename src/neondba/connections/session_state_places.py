"""Where in a project a statement is written, found by its text."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Final

from neondba.connections.explain_results import Place
from neondba.project.places import is_document
from neondba.project.tree import FolderTree

MOST: Final = 4
TELLING: Final = 12
"""So many characters besides its values make a statement known."""
_CODE: Final = (
    ".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".go", ".sql", ".rb", ".java", ".kt",
    ".rs", ".php", ".ex", ".prisma",
)  # fmt: skip
_PARAMETER: Final = re.compile(r"\$\d+(?:::\w+)?|'(?:[^']|'')*'|\b\d+\b")
_SIGNS: Final = {
    "advisory lock": r"pg_(?:try_)?advisory_(?:un)?lock",
    "listen": r"\blisten\b|\.add_listener\(|\.subscribe\(",
    "sequence value": r"\b(?:currval|lastval)\s*\(",
    "library": r"\bload\s+'",
    "temporary table": r"\btemp(?:orary)?\s+(?:table|view|sequence)\b",
    "held cursor": r"\bwith\s+hold\b|withhold\s*=\s*True",
    "prepared statement": r"\bprepare\s+\w+|\bexecute\s+\w+|\bdeallocate\b",
    "reset": r"\b(?:reset|discard)\s+\w+",
}


class Written:
    """The texts of a project's code."""

    def __init__(self, folder: Path) -> None:
        self._tree = FolderTree(folder)

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        paths = [p for p in self._tree.paths if p.endswith(_CODE) and not is_document(p)]
        return [(path, text) for path in paths if (text := self._tree.text(path))]

    def places(self, statement: str, kind: str, name: str) -> tuple[Place, ...]:
        """Give the lines with the statement; else those that speak of what it does."""
        exact = self._found(_pattern(statement), "the statement")
        if exact:
            return exact[:MOST]
        sign = _SIGNS.get(kind, "")
        if kind in ("setting", "role", "start-up parameter") and name:
            sign = rf"(?<!\w){re.escape(name)}(?!\w)"
        elif name and kind in ("temporary table", "prepared statement", "held cursor"):
            return self._found(
                re.compile(rf"(?:{sign}).{{0,80}}?\b{re.escape(name)}\b", re.IGNORECASE), f"names {name}"
            )[:MOST]
        return (
            self._found(re.compile(sign, re.IGNORECASE), f"speaks of {name or kind}")[:MOST] if sign else ()
        )

    def _found(self, pattern: re.Pattern[str], why: str) -> tuple[Place, ...]:
        found = []
        for path, text in self._texts:
            for match in pattern.finditer(text):
                found.append(Place(path=path, line=text.count("\n", 0, match.start()) + 1, why=why))
                if len(found) >= MOST:
                    return tuple(found)
        return tuple(found)


def _pattern(statement: str) -> re.Pattern[str]:
    """Match a statement as code writes it: other spaces, other ways to give values, parts of strings."""
    between = r"[\s\"'+\\]+"
    text = statement[:400].rstrip("; ")
    cut = [part.strip() for part in _PARAMETER.split(text)]
    if len("".join(cut)) < TELLING:
        cut = [text]
    pieces = [re.split(r"\s+", part) for part in cut]
    texts = [between.join(re.escape(word) for word in words if word) for words in pieces]
    return re.compile(r"[\s\S]{0,60}?".join(text for text in texts if text) or r"(?!)", re.IGNORECASE)
