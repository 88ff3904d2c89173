"""What the functions do that a function calls: those of other modules, and methods of services."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.review.rules.production._shared import READS, SESSION, apps, is_session_work, method, receiver

_COMMIT = frozenset({"commit"})
_COMMON = frozenset(
    {"get", "add", "create", "update", "delete", "all", "first", "list", "save", "run", "execute"}
)


class Helpers:
    """The functions of a project that send statements, found by how they are called."""

    def __init__(self, python: PythonFiles) -> None:
        self._python = python
        self._by_name: dict[str, list[Function]] | None = None

    def of(self, file: PythonFile, call: ast.Call) -> Function | None:
        """Give the function that a call runs, if it is handed a session or is a method of a service."""
        given = [*call.args, *(k.value for k in call.keywords)]
        hands = any(isinstance(a, ast.Name | ast.Attribute) and SESSION.search(ast.unparse(a)) for a in given)
        owner = receiver(call)
        if not hands and not owner.startswith(("self.", "cls.")) and owner not in ("self", "cls"):
            return None
        meant = self._python.definition(file.resolve(call.func))
        if meant is not None:
            return meant[1] if isinstance(meant[1], Function) else None
        name = method(call)
        named = self._named().get(name, []) if name and name not in _COMMON else []
        return named[0] if len(named) == 1 else None

    def reads(self, function: Function) -> bool:
        """Tell whether a function asks the database itself."""
        apart = _of_argument(function)
        asks = any(
            (is_session_work(c, READS) or method(c) == "query") and receiver(c).partition(".")[0] not in apart
            for c in function.calls
        )
        said = ast.unparse(function.node) if asks else ""
        return any(word in said for word in ("select(", ".query(", ".get(", ".scalar"))

    def commits(self, function: Function) -> bool:
        """Tell whether a function ends a transaction itself, whatever it does."""
        return any(is_session_work(c, _COMMIT) for c in function.calls)

    def _named(self) -> dict[str, list[Function]]:
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for file in apps(self._python, ".commit()", ".execute(", ".exec(", ".query(", ".scalar"):
                for function in file.functions:
                    self._by_name[function.name].append(function)
        return self._by_name


def _of_argument(function: Function) -> set[str]:
    """Give the names made of what a function is given: a session among them has a database of its own."""
    given = {p.name for p in function.parameters if not SESSION.search(p.name)} - {"self", "cls"}
    made: set[str] = set()
    for node in ast.walk(function.node):
        if isinstance(node, ast.Assign) and _mentions(node.value, given | made):
            made |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.With | ast.AsyncWith):
            opened = (i for i in node.items if _mentions(i.context_expr, given | made))
            made |= {i.optional_vars.id for i in opened if isinstance(i.optional_vars, ast.Name)}
    return made


def apart(helpers: Helpers, file: PythonFile, function: Function) -> tuple[int, str] | None:
    """Give the line of a change that stands while a later one, made of its result, may never happen."""
    tainted: set[str] = set()
    added: set[str] = set()
    first, first_name = 0, ""
    for statement in _in_a_row(function.node.body):
        call = _sent(statement)
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        made = helpers.of(file, call) if call is not None else None
        if call is not None and made is not None and made is not function and helpers.commits(made):
            used = {n.id for a in (*call.args, *(k.value for k in call.keywords)) for n in ast.walk(a)
                    if isinstance(n, ast.Name)}  # fmt: skip
            if first and used & tainted:
                return first, f"{first_name} and {made.name}()"
            if isinstance(target, ast.Name):
                first, first_name, tainted = call.lineno, f"{made.name}()", {target.id}
            continue
        if call is not None and method(call) == "add":
            added |= {a.id for a in call.args if isinstance(a, ast.Name)}
        if call is not None and is_session_work(call, _COMMIT) and added:
            first, first_name, tainted = call.lineno, f"{function.name}()", set(added)
        if target is not None and first and _mentions(statement.value, tainted):  # type: ignore[attr-defined]
            tainted |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return None


def _in_a_row(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Give the statements that may run one after the other; of two branches only the first."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            ends = isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue)
            if not ends and not statement.orelse:
                yield from _in_a_row(statement.body)
        elif isinstance(statement, ast.Try | ast.With | ast.AsyncWith):
            yield from _in_a_row(statement.body)


def _sent(statement: ast.stmt) -> ast.Call | None:
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign | ast.Return) else None
    value = value.value if isinstance(value, ast.Await) else value
    return value if isinstance(value, ast.Call) else None


def _mentions(node: ast.expr, names: set[str]) -> bool:
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))


def asked_in_loop(helpers: Helpers, file: PythonFile, body: list[ast.AST], names: set[str]) -> int | None:
    """Give the line of a call in a loop whose function asks the database about the loop's own row."""
    for node in body:
        if not isinstance(node, ast.Call):
            continue
        given = [*node.args, *(k.value for k in node.keywords)]
        if any(_mentions(a, names) for a in given):
            made = helpers.of(file, node)
            if made is not None and helpers.reads(made) and "cache" not in made.name:
                return node.lineno
    return None
