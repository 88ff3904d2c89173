"""Go through a revision's functions in the order in which they run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from neondba.postgres.statement import Name
from neondba.project.alembic_operations import EXECUTES, CallReader, Operation
from neondba.project.alembic_values import bound, is_plain, items, simplified
from neondba.project.python import Function, PythonFile, PythonFiles
from neondba.project.python_index import walk
from neondba.project.sqlalchemy_types import keywords, last_name, text_of

MOST_ROUNDS = 1_000
"""Of all loops of a function together; longer ones move rows, not tables."""
DEEPEST = 6


def operations_of(file: PythonFile, name: str, python: PythonFiles) -> list[Operation]:
    """Give the operations of a function of a revision, with those of the helpers it calls."""
    function = next((f for f in file.functions if f.owner is None and f.name == name), None)
    if function is None:
        return []
    autocommit = "AUTOCOMMIT" in file.text
    return list(_Walk(file, python).function(function, _Place(autocommit=autocommit)))


@dataclass
class _Place:
    """What is known where a statement stands."""

    values: dict[str, ast.expr] = field(default_factory=dict)
    batches: dict[str, Name | None] = field(default_factory=dict)
    autocommit: bool = False
    conditional: bool = False
    line: int | None = None
    """Where the revision calls a helper of another file."""
    callers: tuple[str, ...] = ()
    rounds: list[None] = field(default_factory=list)
    """One for each round of any loop so far, shared by all places."""

    def inside(self, *, conditional: bool = True) -> _Place:
        """Give the place inside a block; names set there are not known after it."""
        return replace(
            self, values=dict(self.values), batches=dict(self.batches),
            conditional=self.conditional or conditional,
        )  # fmt: skip


class _Walk:
    """Goes through the functions of one file."""

    def __init__(self, file: PythonFile, python: PythonFiles) -> None:
        self._file = file
        self._python = python
        self._calls = CallReader(file, python)
        self._functions = {f.name: f for f in file.functions if f.owner is None}

    def function(self, function: Function, place: _Place) -> Iterator[Operation]:
        """Give the operations of one function."""
        mark = f"{self._file.path}:{function.qualname}"
        if mark not in place.callers and len(place.callers) < DEEPEST:
            inner = replace(place, callers=(*place.callers, mark))
            yield from self._body(function.node.body, inner)

    def _body(self, body: Sequence[ast.stmt], place: _Place) -> Iterator[Operation]:
        for number, node in enumerate(body):
            if isinstance(node, ast.With | ast.AsyncWith):
                yield from self._with(node, place)
            elif isinstance(node, ast.If):
                if _leaves_unless_postgres(node):
                    return
                yield from self._if(node, place)
                if _leaves(node) and not place.conditional:
                    yield from self._body(body[number + 1 :], place.inside())
                    return
            elif isinstance(node, ast.For):
                yield from self._for(node, place)
            elif isinstance(node, ast.While | ast.Try):
                for part in (node.body, node.orelse, getattr(node, "finalbody", [])):
                    yield from self._body(part, place.inside())
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from self._statement(node, place)

    def _with(self, node: ast.With | ast.AsyncWith, place: _Place) -> Iterator[Operation]:
        inner = place.inside(conditional=False)
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and last_name(call) == "batch_alter_table":
                made = self._known(call, place)
                alias = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else "batch_op"
                first = made.args[0] if isinstance(made, ast.Call) and made.args else None
                given = keywords(made) if isinstance(made, ast.Call) else {}
                text = text_of(first) or text_of(given.get("table_name"))
                inner.batches[alias] = Name(text, text_of(given.get("schema"))) if text else None
            inner.autocommit = inner.autocommit or last_name(call) == "autocommit_block"
        yield from self._body(node.body, inner)

    def _if(self, node: ast.If, place: _Place) -> Iterator[Operation]:
        test = ast.unparse(node.test).lower()
        dialect = "dialect" in test or "sqlite" in test or "is_postgres" in test
        parts = [node.body, node.orelse]
        if dialect and ("sqlite" in test or "mysql" in test) and "postgres" not in test:
            away = "!=" in test or "not in" in test or test.startswith("not ")
            parts = [node.body] if away else [node.orelse]
        elif dialect and "postgres" in test and " or " not in test:
            away = "!=" in test or "not in" in test or test.startswith("not ")
            parts = [node.orelse] if away else [node.body]
        for part in parts:
            yield from self._body(part, place.inside(conditional=len(parts) == 2))

    def _for(self, node: ast.For, place: _Place) -> Iterator[Operation]:
        rounds = items(self._known(node.iter, place))
        if rounds is None or len(rounds) + len(place.rounds) > MOST_ROUNDS:
            yield from self._body(node.body, place.inside())
            return
        for value in rounds:
            place.rounds.append(None)
            inner = place.inside(conditional=False)
            inner.values.update(bound(node.target, value))
            yield from self._body(node.body, inner)

    def _statement(self, node: ast.stmt, place: _Place) -> Iterator[Operation]:
        for call in (n for n in walk(node) if isinstance(n, ast.Call)):
            yield from self._call(call, place)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = self._known(node.value, place)
            for name, given in (pair for target in targets for pair in bound(target, value)):
                place.values.pop(name, None)
                if is_plain(given):
                    place.values[name] = given

    def _call(self, call: ast.Call, place: _Place) -> Iterator[Operation]:
        function = call.func
        helper = self._helper(function)
        if helper is not None:
            yield from self._helped(*helper, call, place)
            return
        if not isinstance(function, ast.Attribute):
            return
        owner = last_name(function.value)
        batch = owner in place.batches
        if owner == "op" or batch or function.attr in EXECUTES:
            known = self._known(call, place)
            read = (
                self._calls.read(known, batch, place.batches.get(owner))
                if isinstance(known, ast.Call)
                else None
            )
            if read is not None:
                line = place.line or read.line
                moved = (
                    tuple(replace(s, line=line) for s in read.statements) if place.line else read.statements
                )
                yield replace(
                    read, line=line, statements=moved, autocommit=place.autocommit,
                    conditional=place.conditional, values=dict(place.values),
                )  # fmt: skip

    def _helper(self, function: ast.expr) -> tuple[PythonFile, Function] | None:
        """Find a function of the project that may hold operations."""
        if isinstance(function, ast.Name) and function.id in self._functions:
            return self._file, self._functions[function.id]
        if last_name(getattr(function, "value", None)) in ("op", "sa") or last_name(function)[:1].isupper():
            return None
        found = self._python.definition(self._file.resolve(function))
        if found is None or not isinstance(found[1], Function) or found[0] is self._file:
            return None
        return (found[0], found[1]) if "alembic" in found[0].text else None

    def _helped(
        self, file: PythonFile, function: Function, call: ast.Call, place: _Place
    ) -> Iterator[Operation]:
        """Go into a helper with the arguments that are known."""
        known = self._known(call, place)
        assert isinstance(known, ast.Call)
        names = [a.arg for a in (*function.node.args.posonlyargs, *function.node.args.args)]
        values = {name: value for name, value in zip(names, known.args, strict=False) if is_plain(value)}
        values |= {k.arg: k.value for k in known.keywords if k.arg and is_plain(k.value)}
        elsewhere = file is not self._file
        inner = replace(place, values=values, batches={}, line=call.lineno if elsewhere else place.line)
        walk = _Walk(file, self._python) if elsewhere else self
        yield from walk.function(function, inner)

    def _known(self, node: ast.expr, place: _Place) -> ast.expr:
        return simplified(node, place.values, self._file, self._python)


def _leaves(node: ast.If) -> bool:
    """Tell whether the rest of the body only runs when the condition does not hold."""
    return bool(node.body) and isinstance(node.body[-1], ast.Return) and not node.orelse


def _leaves_unless_postgres(node: ast.If) -> bool:
    test = ast.unparse(node.test).lower()
    return _leaves(node) and "dialect" in test and "postgres" in test and "==" in test and "!=" not in test
