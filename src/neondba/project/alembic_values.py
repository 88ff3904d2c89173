"""Work out what names and texts in a revision stand for: loops over lists, f-strings, constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from neondba.project.python import PythonFile, PythonFiles
from neondba.project.python_index import walk
from neondba.project.sqlalchemy_types import last_name

Values = Mapping[str, ast.expr]
"""What names stand for at some place, as expressions."""

DEEPEST = 8
LONGEST = 200_000
MOST_PARTS = 2_000
"""A file that somebody wrote to hurt us may double a text as often as it likes; beyond these we stop."""
WIDE = re.compile(r"\{[^{}]*[:!.\[]")
"""A field of a format that pads, converts or looks inside its value."""
N = TypeVar("N", bound=ast.AST)
TEXT_METHODS = frozenset({"strip", "lower", "upper", "lstrip", "rstrip", "title", "replace", "removeprefix"})
UNKNOWN = "…"
"""What an f-string shows for a part that is not known."""


def simplified(node: ast.expr, values: Values, file: PythonFile, python: PythonFiles) -> ast.expr:
    """Put what is known in the place of names, and join texts; a copy, never the node itself."""
    if not any(_may_change(part, values, file, python) for part in walk(node)):
        return node
    found: ast.expr = _Simplifier(values, file, python).visit(_copy(node))
    return found


def _copy(node: N) -> N:
    """Copy an expression; the library's deepcopy takes ten times as long."""
    made = node.__class__.__new__(node.__class__)
    made.__dict__.update({name: _copied(value) for name, value in node.__dict__.items()})
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return _copy(value) if isinstance(value, ast.expr | ast.keyword | ast.comprehension) else value


def _may_change(node: ast.AST, values: Values, file: PythonFile, python: PythonFiles) -> bool:
    """Tell whether a part of an expression is worth a copy of the whole."""
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.JoinedStr | ast.BinOp | ast.Attribute) and (
            not isinstance(node, ast.Attribute) or isinstance(node.value, ast.Constant)
        )
    if node.id in values or isinstance(file.own_names.get(node.id), ast.expr):
        return True
    imported = file.imports.get(node.id)
    return imported is not None and python.definition(imported) is not None


def items(node: ast.expr) -> list[ast.expr] | None:
    """Give what a loop over an expression goes through; `None` when that is not known."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return list(node.elts)
    if isinstance(node, ast.Dict) and all(node.keys):
        return [key for key in node.keys if key is not None]
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and isinstance(owner := node.func.value, ast.Dict):
        return _of_dict(owner, node.func.attr)
    if last_name(node) in ("list", "tuple", "sorted", "reversed", "set") and len(node.args) == 1:
        return items(node.args[0])
    if last_name(node) == "enumerate" and node.args and (inner := items(node.args[0])) is not None:
        return [ast.Tuple([ast.Constant(n), item], ast.Load()) for n, item in enumerate(inner)]
    if last_name(node) == "zip":
        columns = [items(argument) for argument in node.args]
        if all(column is not None for column in columns):
            return [ast.Tuple(list(row), ast.Load()) for row in zip(*columns, strict=False)]
    return None


def bound(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Give the names that an assignment to `x` or `x, y` sets, and to what."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for one, given in zip(target.elts, value.elts, strict=False):
            yield from bound(one, given)


def is_plain(node: ast.expr) -> bool:
    """Tell whether an expression may stand in the place of the name that it was given to."""
    if sum(1 for _ in ast.walk(node)) > MOST_PARTS * 2:
        return False
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
        return True
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return True
    return isinstance(node, ast.Call) and (
        last_name(node)[:1].isupper()
        or last_name(node) in ("text", "table", "column", "dedent", "list", "tuple", *TEXT_METHODS)
    )


def _of_dict(node: ast.Dict, method: str) -> list[ast.expr] | None:
    keys = [key for key in node.keys if key is not None]
    if method == "keys":
        return keys
    if method == "values":
        return list(node.values)
    if method == "items":
        return [ast.Tuple([k, v], ast.Load()) for k, v in zip(keys, node.values, strict=False)]
    return None


class _Simplifier(ast.NodeTransformer):
    """Replaces names by what they stand for, from the inside out."""

    def __init__(self, values: Values, file: PythonFile, python: PythonFiles, depth: int = 0) -> None:
        self._values = values
        self._file = file
        self._python = python
        self._depth = depth
        self._put = 0

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Look a name up here, in the module, or where it was imported from."""
        if self._depth > DEEPEST:
            return node
        known = self._values.get(node.id)
        if known is not None:
            self._put += sum(1 for _ in ast.walk(known))
            return _copy(known) if self._put < MOST_PARTS * 10 else node
        value, file = self._file.own_names.get(node.id), self._file
        if value is None and node.id in self._file.imports:
            found = self._python.definition(self._file.imports[node.id])
            file, value = found or (file, None)
        if not isinstance(value, ast.expr) or not is_plain(value):
            return node
        inner: ast.expr = _Simplifier({}, file, self._python, self._depth + 1).visit(_copy(value))
        if file is not self._file:
            _move(inner, node)
        return inner

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Leave `op.x` and `sa.x` alone; `TABLE.name` of a table is its name."""
        if isinstance(node.value, ast.Name) and node.value.id not in self._values:
            return node
        self.generic_visit(node)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Join an f-string; parts that are not known show as dots."""
        self.generic_visit(node)
        parts = []
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            parts.append(str(inner.value) if isinstance(inner, ast.Constant) else UNKNOWN)
        return ast.copy_location(ast.Constant("".join(parts)), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Join texts and lists."""
        self.generic_visit(node)
        left, right = node.left, node.right
        if isinstance(node.op, ast.Add):
            return _added(node, left, right)
        if isinstance(node.op, ast.Mod) and isinstance(left, ast.Constant) and isinstance(left.value, str):
            given = right.elts if isinstance(right, ast.Tuple) else [right]
            texts = [str(g.value) if isinstance(g, ast.Constant) else UNKNOWN for g in given]
            pieces = left.value.split("%s")
            if len(pieces) == len(texts) + 1:
                joined = "".join(a + b for a, b in zip(pieces, [*texts, ""], strict=True))
                return ast.copy_location(ast.Constant(joined), left)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Work out methods of texts: `"…".format(x)`, `"…".strip()`, `", ".join([…])`."""
        function = node.func
        if isinstance(function, ast.Attribute) and not isinstance(function.value, ast.Name):
            function.value = self.visit(function.value)
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            known = self.visit(function.value)
            table = isinstance(known, ast.Call) and last_name(known) in ("table", "Table")
            function.value = known if table or isinstance(known, ast.Constant | ast.Dict) else function.value
        node.args = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        text = _called(node)
        return node if text is None else ast.copy_location(ast.Constant(text), node.func)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Take one element of a known list or dictionary."""
        self.generic_visit(node)
        wanted = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(node.value, ast.List | ast.Tuple) and isinstance(wanted, int):
            return node.value.elts[wanted] if abs(wanted) < len(node.value.elts) else node
        if isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=False):
                if isinstance(key, ast.Constant) and key.value == wanted:
                    return value
        return node


def _added(node: ast.BinOp, left: ast.expr, right: ast.expr) -> ast.expr:
    """Join two texts or two lists that are known."""
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        one, other = left.value, right.value
        if isinstance(one, str) and isinstance(other, str) and len(one) + len(other) < LONGEST:
            return ast.copy_location(ast.Constant(one + other), left)
    if isinstance(left, ast.List | ast.Tuple) and isinstance(right, ast.List | ast.Tuple):
        parts = [*left.elts, *right.elts]
        return ast.copy_location(ast.List(parts, ast.Load()), node) if len(parts) < MOST_PARTS else node
    return node


def _called(node: ast.Call) -> str | None:
    """Give the text that a method of a text gives; `dedent("…")` too."""
    function, given = node.func, [a.value if isinstance(a, ast.Constant) else None for a in node.args]
    if last_name(node) == "dedent" and len(given) == 1 and isinstance(given[0], str):
        return given[0]
    owner = function.value if isinstance(function, ast.Attribute) else None
    text = owner.value if isinstance(owner, ast.Constant) and isinstance(owner.value, str) else None
    if text is None or not isinstance(function, ast.Attribute):
        return None
    longest = max([len(g) for g in given if isinstance(g, str)], default=0)
    if WIDE.search(text) or (len(text) + 1) * (longest + 1) > LONGEST * 10:
        return None
    try:
        if function.attr == "format":
            named = {
                k.arg: k.value.value for k in node.keywords if k.arg and isinstance(k.value, ast.Constant)
            }
            return text.format(*(UNKNOWN if g is None else g for g in given), **named)
        if function.attr == "join" and len(node.args) == 1 and (parts := items(node.args[0])) is not None:
            return text.join(str(p.value) if isinstance(p, ast.Constant) else UNKNOWN for p in parts)
        if function.attr in TEXT_METHODS and None not in given:
            return str(getattr(text, function.attr)(*given))
    except (IndexError, KeyError, ValueError, TypeError, AttributeError):
        return None
    return None


def _move(node: ast.expr, place: ast.expr) -> None:
    """Let an expression from another file stand on the line where it is used."""
    for part in walk(node):
        if isinstance(part, ast.expr):
            ast.copy_location(part, place)
