"""Where a database connection stays checked out while a program waits for somebody else.

A session takes a connection at its first statement and gives it back at commit, rollback or close. The
walk goes through each function in order and asks, at every call that waits, whether one is taken.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Final

from neondba.project.called_functions import Found, called_function
from neondba.project.outside_calls import WORDS, OutsideCalls, is_generator
from neondba.project.places import is_migration, is_script, is_test
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.python_index import PARTS
from neondba.project.routes import Routes

_TAKES: Final = frozenset(
    {"execute", "exec", "scalars", "scalar", "get", "get_one", "query", "flush", "refresh", "merge", "stream",
     "fetch", "fetchrow", "fetchval"}
)  # fmt: skip
_GIVES_BACK: Final = frozenset({"commit", "rollback", "close"})
_TYPES: Final = re.compile(
    r"^(?:Async)?(?:Session|Connection)$|^(?:\w*(?:Db|DB|Database))?(?:Session)(?:Dep\w*)?$"
)
_NAMES: Final = re.compile(r"^(?:db|session|db_session|async_session|dbsession)$")
_OPENS: Final = re.compile(r"session|^get_(?:async_)?db|SessionLocal", re.IGNORECASE)
_HOLDS: Final = re.compile(r"\.(?:acquire|connection|begin|connect)$")
_LATER: Final = frozenset(
    {"create_task", "ensure_future", "add_task", "submit", "delay", "StreamingResponse"}
)
_FIELDS: Final = frozenset({"db", "session", "_db", "_session", "db_session"})


@dataclass(frozen=True)
class Held:
    """A call that waits while a connection is taken."""

    file: PythonFile
    function: Function
    line: int
    since: int
    """The line of the statement that took it; 0 where it was taken before the function began."""
    waits_for: str
    call: str
    """What is called, as written."""
    session: str


@dataclass
class HeldConnections:
    """All such calls of the project's own programs."""

    plain = True

    all: list[Held] = field(default_factory=list)

    @classmethod
    def gather(cls, files: PythonFiles, routes: Routes, outside: OutsideCalls) -> HeldConnections:
        """Walk the routes first, then every other function that has a session."""
        if next(files.containing(*WORDS), None) is None:
            return cls()
        walker = _Walker(files, outside)
        for route in routes.routes:
            taken = any(walker.takes(d.file, d.function) for d in route.dependencies if d.file and d.function)
            walker.walk(route.file, route.function, taken=taken, report=True)
        for file in files.containing("ession", "acquire(", "connection("):
            if not (is_test(file.path) or is_script(file.path) or is_migration(file.path)):
                for function in file.functions:
                    walker.walk(file, function, taken=False, report=True)
        found = {(h.file.path, h.line): h for h in reversed(walker.found)}
        return cls(sorted(found.values(), key=lambda h: (h.file.path, h.line)))


@dataclass
class _State:
    """What is known at one place of a function."""

    file: PythonFile
    function: Function
    report: bool
    sessions: set[str]
    since: int | None = None
    """Line that took the connection; 0 for before the function; `None` while none is taken."""
    name: str = "session"
    fixed: int = 0
    """How many blocks hold a connection whatever is committed."""
    ended: bool = False
    waited: str = ""
    """The first thing that was waited for with a connection taken."""


class _Walker:
    def __init__(self, files: PythonFiles, outside: OutsideCalls) -> None:
        self._files, self._outside = files, outside
        self._seen: dict[tuple[int, bool], tuple[int | None, str]] = {}
        self._calls: dict[int, list[ast.Call]] = {}
        self._targets: dict[int, Found | None] = {}
        self._generators: dict[int, bool] = {}
        self._held: dict[int, frozenset[str]] = {}
        self.found: list[Held] = []

    def takes(self, file: PythonFile, function: Function) -> bool:
        """Tell whether a dependency leaves its session in a transaction."""
        return (
            not self._is_generator(function)
            and self.walk(file, function, taken=False, report=False)[0] is not None
        )

    def walk(
        self, file: PythonFile, function: Function, *, taken: bool, report: bool, depth: int = 0
    ) -> tuple[int | None, str]:
        """Say what took the connection that is held at the end, and what was waited for with one.

        As in a state, 0 is for what came before the function, and `None` for nothing.
        """
        key = (id(function), taken)
        if key in self._seen and not report:
            return self._seen[key]
        if depth > 6:
            return 0 if taken else None, ""
        self._seen[key] = (0 if taken else None, "")
        sessions = set(self._sessions(file, function))
        shown = min(sorted(sessions), default="session", key=len)
        state = _State(file, function, report, sessions, 0 if taken else None, shown)
        if sessions or taken or any(isinstance(n, ast.With | ast.AsyncWith) for n in function.node.body):
            self._block(state, function.node.body, depth)
        self._seen[key] = (state.since, state.waited)
        return self._seen[key]

    def _is_generator(self, function: Function) -> bool:
        if id(function) not in self._generators:
            self._generators[id(function)] = is_generator(function)
        return self._generators[id(function)]

    def _sessions(self, file: PythonFile, function: Function) -> frozenset[str]:
        if id(function) not in self._held:
            self._held[id(function)] = frozenset(_sessions(file, function))
        return self._held[id(function)]

    def _shares(self, state: _State, call: ast.Call, target: Found) -> bool:
        """Tell whether the called function works with the same session."""
        given = [*call.args, *(k.value for k in call.keywords)]
        return any(_is_session(state, node) for node in given) or "self" in self._sessions(*target)

    def _block(self, state: _State, body: list[ast.stmt], depth: int) -> None:
        for statement in body:
            if state.ended:
                return
            self._statement(state, statement, depth)

    def _statement(self, state: _State, node: ast.stmt, depth: int) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        if isinstance(node, ast.With | ast.AsyncWith):
            self._with(state, node, depth)
        elif isinstance(node, ast.If):
            self._expression(state, node.test, depth)
            self._branches(state, [node.body, node.orelse], depth)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            self._expression(state, node.test if isinstance(node, ast.While) else node.iter, depth)
            self._branches(state, [node.body, []], depth)
        elif isinstance(node, ast.Try):
            self._block(state, node.body, depth)
            ended, since = state.ended, state.since
            self._branches(state, [handler.body for handler in node.handlers], depth)
            state.ended, state.since = ended, since
            self._block(state, node.finalbody, depth)
        elif isinstance(node, ast.Match):
            self._branches(state, [case.body for case in node.cases], depth)
        else:
            self._expression(state, node, depth)
            state.ended = isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break)

    def _branches(self, state: _State, bodies: list[list[ast.stmt]], depth: int) -> None:
        """Walk each side from the same state; go on with what a side that does not end leaves."""
        before, after = state.since, []
        for body in bodies:
            state.since, state.ended = before, False
            self._block(state, body, depth)
            if not state.ended:
                after.append(state.since)
        state.ended = bool(bodies) and not after
        state.since = next((s for s in after if s is not None), None) if after else before

    def _with(self, state: _State, node: ast.With | ast.AsyncWith, depth: int) -> None:
        before, fixed, ours = state.since, state.fixed, False
        for item in node.items:
            self._expression(state, item.context_expr, depth)
            name = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ""
            said = ast.unparse(item.context_expr.func) if isinstance(item.context_expr, ast.Call) else ""
            if _HOLDS.search(said) and (said.partition(".")[0] in state.sessions or not name):
                ours = True
            elif name and _HOLDS.search(said) and re.search(r"pool|engine", said, re.IGNORECASE):
                state.sessions.add(name)
                state.since, state.name, ours = node.lineno, name, True
                state.fixed += 1
            elif (
                name and _OPENS.search(said) and not re.search(r"aiohttp|ClientSession|requests|httpx", said)
            ):
                state.sessions.add(name)
                state.since, state.name, ours = None, name, True
        self._block(state, node.body, depth)
        if ours:
            state.since, state.fixed = before, fixed

    def _expression(self, state: _State, node: ast.AST, depth: int) -> None:
        if id(node) not in self._calls:
            self._calls[id(node)] = _calls(node, [])
        for call in self._calls[id(node)]:
            self._call(state, call, depth)

    def _call(self, state: _State, call: ast.Call, depth: int) -> None:
        func = call.func
        if isinstance(func, ast.Attribute) and _is_session(state, func.value):
            if func.attr in _TAKES and not state.since:
                state.since, state.name = call.lineno, ast.unparse(func.value)
            elif func.attr in _GIVES_BACK and not state.fixed:
                state.since = None
            return
        outside = self._outside.waits_for(state.file, state.function, call)
        target = None if outside else self._target(state, call)
        if target and not self._is_generator(target[1]):
            self._enter(state, call, target, depth)
        elif outside and state.since is not None:
            self._waited(state, call, outside)

    def _target(self, state: _State, call: ast.Call) -> Found | None:
        if id(call) not in self._targets:
            self._targets[id(call)] = called_function(self._files, state.file, state.function, call)
        return self._targets[id(call)]

    def _enter(self, state: _State, call: ast.Call, target: Found, depth: int) -> None:
        """Go into a function: it may take the connection, give it back, or wait."""
        shares = self._shares(state, call, target)
        if not shares:
            waits = self._outside.inside(*target) if state.since is not None else ""
            if waits:
                self._waited(state, call, waits)
            return
        taken = state.since is not None
        inherited = state.since == 0
        after, waits = self.walk(*target, taken=taken, report=state.report and inherited, depth=depth + 1)
        if taken and waits:
            if inherited:
                state.waited = state.waited or waits
            else:
                self._waited(state, call, waits)
        if not state.fixed:
            state.since = call.lineno if after else state.since if after == 0 else None

    def _waited(self, state: _State, call: ast.Call, whom: str) -> None:
        state.waited = state.waited or whom
        if state.report and state.since is not None:
            said = ast.unparse(call.func)
            self.found.append(
                Held(state.file, state.function, call.lineno, state.since, whom, said, state.name)
            )


def _calls(node: ast.AST, found: list[ast.Call]) -> list[ast.Call]:
    """Give the calls of an expression in the order they are made; not those of inner functions."""
    kind = type(node)
    if kind is ast.Lambda or kind is ast.GeneratorExp:
        return found
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _LATER:
            return found
    for part in PARTS[kind]:
        value = getattr(node, part)
        if type(value) is list:
            for child in value:
                if child is not None:
                    _calls(child, found)
        elif value is not None:
            _calls(value, found)
    if isinstance(node, ast.Call):
        found.append(node)
    return found


def _sessions(file: PythonFile, function: Function) -> set[str]:
    """Give the names of a function's parameters that are sessions."""
    found = set()
    for parameter in function.parameters:
        said = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
        last = (file.resolve(parameter.annotation) or "").rpartition(".")[2]
        typed = _TYPES.match(last) or re.search(r"\b(?:Async)?Session\b", said)
        if typed or (not said and _NAMES.match(parameter.name)):
            found.add(parameter.name)
    return found | ({"self"} if function.owner and _keeps_one(function) else set())


def _keeps_one(function: Function) -> bool:
    """Tell whether a method works with a session that its object holds."""
    return any(_is_field(node) for node in function.nodes)


def _is_field(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in _FIELDS
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _is_session(state: _State, node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in state.sessions and node.id != "self") or _is_field(node)
