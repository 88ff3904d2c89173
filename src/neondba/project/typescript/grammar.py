"""The only place that talks to tree-sitter: text in, syntax tree out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax
    from tree_sitter import Parser

SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
"""How the files end that we read."""


def parsed(path: str, text: str) -> Syntax:
    """Give the root of a file's syntax tree; where the text is no program, it holds error nodes."""
    last = path.rpartition(".")[2]
    kind = "tsx" if last == "tsx" else "typescript" if last in ("ts", "mts", "cts") else "javascript"
    return _parser(kind).parse(text.encode()).root_node


def faults(root: Syntax) -> list[int]:
    """Give the lines with syntax errors; an `&` in the text of a page is none."""
    found: list[int] = []
    stack = [root] if root.has_error else []
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            if not (node.text or b"").startswith(b"&"):
                found.append(node.start_point[0] + 1)
        else:
            stack.extend(child for child in reversed(node.children) if child.has_error)
    return found


@cache
def _parser(kind: str) -> Parser:
    import tree_sitter
    import tree_sitter_javascript
    import tree_sitter_typescript

    language = {
        "tsx": tree_sitter_typescript.language_tsx,
        "typescript": tree_sitter_typescript.language_typescript,
        "javascript": tree_sitter_javascript.language,
    }[kind]
    return tree_sitter.Parser(tree_sitter.Language(language()))
