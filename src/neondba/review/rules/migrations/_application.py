"""Which Python code the running application reaches, as far as places and conditions tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from neondba.project.python import Call, Function, PythonFile, PythonFiles
from neondba.project.sqlalchemy_types import last_name

NOT_THE_APP = re.compile(
    r"(^|/)(tests?|testing|conftest|fixtures|examples?|docs|notebooks)(/|\.py$|_)|(^|/)test_|_test\.py$"
)
GUARD = re.compile(
    r"\b\w*(debug|dev|test|local|sqlite|environment|env|auto_create|create_tables)\w*\b", re.IGNORECASE
)


def guarded(file: PythonFile, call: Call) -> bool:
    """Tell whether an `if` on the environment stands around the call."""
    scope: ast.AST | None = call.function.node if call.function else file.tree
    for node in ast.walk(scope) if scope else ():
        if isinstance(node, ast.If) and node.lineno <= call.node.lineno <= (node.end_lineno or 0):
            test = ast.unparse(node.test)
            if GUARD.search(test) and "__name__" not in test:
                return True
    return False


def callers(python: PythonFiles, home: PythonFile, function: Function) -> Iterator[tuple[PythonFile, Call]]:
    """Give the calls of a function outside tests, also where it is only passed on."""
    for file in python.containing(function.name):
        if NOT_THE_APP.search(file.path):
            continue
        for call in file.calls:
            for node in (call.node.func, *call.node.args):
                named = isinstance(node, ast.Name | ast.Attribute) and last_name(node) == function.name
                if named and _is_meant(python, file, node, home, function):
                    yield file, call


def _is_meant(
    python: PythonFiles, file: PythonFile, node: ast.expr, home: PythonFile, function: Function
) -> bool:
    """Tell whether a name means a function; of an unresolved import the end of the path decides."""
    qualified = file.resolve(node) or ""
    found = python.definition(qualified)
    if found is not None:
        return found[1] is function
    module = qualified.rpartition(".")[0]
    return file is home or not module or f".{home.module}".endswith(f".{module}")
