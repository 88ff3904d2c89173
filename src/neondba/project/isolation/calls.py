"""What a call gives: a row, a part of a statement, an object, or a callee's result."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from neondba.project.isolation.building import built
from neondba.project.isolation.callers import (
    CALLING,
    CHECKING,
    CONTEXT_VARIABLE,
    SENT,
    SURE,
    TELLING,
)  # fmt: skip
from neondba.project.isolation.judged import Step
from neondba.project.isolation.values import (
    DERIVED,
    NOTHING,
    PART,
    SELF,
    Built,
    Caller,
    Check,
    Client,
    Fields,
    Param,
    Row,
    Table,
    Thing,
    Value,
    fielded,
    joined,
)  # fmt: skip
from neondba.project.python import Class, Function, PythonFile

if TYPE_CHECKING:
    from neondba.project.isolation.reader import Reader

CONVERTING = frozenset(
    {"str", "int", "UUID", "uuid", "bool", "repr", "dict", "list", "set", "tuple", "sorted", "len", "print",
     "HTTPException", "isinstance", "hasattr", "type", "cast", "float", "json", "JSONResponse", "Response",
     "any", "all", "sum", "min", "max", "zip", "enumerate", "add", "refresh", "flush", "commit", "expunge",
     "model_validate", "from_orm", "model_dump", "jsonable_encoder", "append", "extend", "strip", "lower"}
)  # fmt: skip
"""Calls that check nothing, whatever they are given."""
APART = frozenset({"add_task", "delay", "apply_async", "create_task"})
"""Calls that run a function apart from the request; told nothing of it, it serves nobody in particular."""
ADDING = frozenset({"append", "extend", "insert", "update"})
DUMPING = frozenset({"model_dump", "dict", "dump", "copy", "model_copy"})
LATER = frozenset(
    {"run_in_threadpool", "to_thread", "add_task", "create_task", "run_in_executor", "run_sync", "partial",
     "delay", "apply_async", "gather", "ensure_future", "run"}
)  # fmt: skip
"""Calls that run the function they are given."""


def value_of_call(reader: Reader, node: ast.Call) -> Value:
    """Give what a call's result may hold, and note what the call does, once."""
    known = reader.calls.get(id(node))
    if known is None:
        known = reader.calls[id(node)] = _value_of_call(reader, node)
    return known


def _value_of_call(reader: Reader, node: ast.Call) -> Value:
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    receiver = reader.value(func.value) if isinstance(func, ast.Attribute) else NOTHING
    found = built(reader, node, name, receiver)
    if found is not None:
        return found
    if name in LATER and node.args:
        inner = _run_by(node, name)
        if inner is not None and name in APART and not any(reader.value(a) for a in inner.args):
            before, reader.staff = reader.staff, True
            try:
                return _value_of_call(reader, inner)
            finally:
                reader.staff = before
        node = inner or node
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    told = _told(reader, node, name, receiver)
    if told is not None:
        return told
    given = [reader.value(a) for a in node.args]
    named = {k.arg: reader.value(k.value) for k in node.keywords if k.arg}
    spread = joined(reader.value(k.value) for k in node.keywords if k.arg is None)
    if name in ADDING and isinstance(func, ast.Attribute):
        _added(reader, func.value, receiver, joined((*given, *named.values())))
    called = _Called(reader, node, name, receiver, given, named, spread)
    return called.result()


def _added(reader: Reader, node: ast.expr, receiver: Value, given: Value) -> None:
    """Put what is appended to a local list, or merged into a dictionary, among what it holds."""
    things = [a for a in given if isinstance(a, Thing)]
    for atom in receiver:
        if isinstance(atom, Thing) and atom.fields.kind is None:
            for thing in things:
                atom.fields.values |= thing.fields.values
    plain = not any(isinstance(a, Param | Caller | Client | Thing) for a in receiver)
    if plain and isinstance(node, ast.Name) and node.id in reader.names:
        reader.names[node.id] = joined((receiver, given))


def _run_by(node: ast.Call, name: str) -> ast.Call | None:
    """Give the call that another call makes for us."""
    func = node.func
    if name in ("delay", "apply_async"):
        return (
            ast.copy_location(ast.Call(func.value, node.args, node.keywords), node)
            if isinstance(func, ast.Attribute)
            else None
        )
    first = 1 if name == "run_in_executor" and len(node.args) > 1 else 0
    inner = node.args[first]
    if not isinstance(inner, ast.Name | ast.Attribute):
        return None
    return ast.copy_location(ast.Call(inner, node.args[first + 1 :], node.keywords), node)


def _told(reader: Reader, node: ast.Call, name: str, receiver: Value) -> Value | None:
    """Give what is told of the caller or by the client."""
    from neondba.project.isolation.reader import dotted_name

    dotted = dotted_name(node.func)
    if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        return reader._asked(
            fielded(reader.value(node.args[0]), str(node.args[1].value)), str(node.args[1].value)
        )
    if name == "getattr" and node.args:
        return reader.value(node.args[0])
    if name in DUMPING and receiver and any(k.arg in ("exclude", "include") for k in node.keywords):
        return fielded(receiver, PART)
    sent = SENT.match(dotted)
    if sent and not reader.names.get(dotted.partition(".")[0], NOTHING) - {Param(dotted.partition(".")[0])}:
        key = node.args[0] if node.args and isinstance(node.args[0], ast.Constant) else None
        return Value({Client("request", str(key.value) if key else "")})
    if name == "get" and isinstance(node.func, ast.Attribute):
        if dotted.endswith(("request.session.get", "websocket.session.get")) or (
            dotted == "session.get" and node.args and isinstance(node.args[0], ast.Constant)
        ):
            return Value({Caller(dotted.removesuffix(".get"))})
        if not receiver and CONTEXT_VARIABLE.search(dotted.removesuffix(".get")) and not node.args:
            return Value({Caller(dotted)})
        if receiver and node.args and isinstance(node.args[0], ast.Constant):
            return reader._asked(fielded(receiver, str(node.args[0].value)), str(node.args[0].value))
    return None


class _Called:
    """One call with its arguments read."""

    def __init__(
        self, reader: Reader, node: ast.Call, name: str, receiver: Value,
        given: list[Value], named: dict[str, Value], spread: Value,
    ) -> None:  # fmt: skip
        self.reader, self.node, self.name, self.receiver = reader, node, name, receiver
        self.given, self.named, self.spread = given, named, spread

    def result(self) -> Value:
        """Follow the call into the project, or take it as unknown."""
        everything = joined((*self.given, *self.named.values(), self.spread))
        target = self._target()
        result: Value = NOTHING
        if target is not None:
            result = self._entered(*target)
        calling = bool(CALLING.match(self.name)) or (
            self.name == "decode" and "jwt" in ast.unparse(self.node.func).lower()
        )
        if calling and not _holds_rows(result):
            self._ask(everything)
            return Value({Caller(f"{self.name}()")})
        if target is None:
            self._ask(everything)
            if self.name not in CONVERTING:
                everything = fielded(everything, DERIVED)
            return joined((everything, self.receiver))
        if SURE.search(self.name) and any(
            isinstance(a, Caller) or _may_be_caller(a) for a in everything | self.receiver
        ):
            self._ask(everything)
        return result

    def _ask(self, everything: Value) -> None:
        """Note a call that may check what it is given."""
        if self.name in CONVERTING or not everything or self.name.startswith("HTTP"):
            return
        from neondba.project.isolation.reader import dotted_name

        dotted = dotted_name(self.node.func)
        whole = everything | self.receiver
        has_caller = any(isinstance(a, Caller) or _may_be_caller(a) for a in whole)
        sure = bool(SURE.search(self.name))
        if not sure and (not has_caller or TELLING.search(dotted)):
            return
        queries = [a for a in everything if isinstance(a, Built)]
        for atom in queries if has_caller else ():
            atom.query.unknown = True
        self.reader.summary.checks.append(
            Check(
                "asked surely" if sure and CHECKING.search(self.name) else "asked",
                everything, self.receiver, self.reader.file.path, self.node.lineno, f"{self.name}()",
            )
        )  # fmt: skip

    def _target(self) -> tuple[PythonFile, Function | Class, Value, tuple[PythonFile, Class] | None] | None:
        """Find what is called: function or class, the object it is called on, and that one's class."""
        reader, func = self.reader, self.node.func
        if isinstance(func, ast.Name) and func.id in reader.nested:
            return reader.file, reader.nested[func.id], NOTHING, reader.owner
        if isinstance(func, ast.Name) and func.id == "cls" and reader.owner is not None:
            return *reader.owner, NOTHING, None
        if not (isinstance(func, ast.Name) and func.id in reader.names):
            found = reader.world.files.definition(reader.file.resolve(func))
            if found is not None and isinstance(found[1], Function | Class):
                owner = found[1].owner if isinstance(found[1], Function) else None
                return found[0], found[1], NOTHING, (found[0], owner) if owner else None
        if isinstance(func, ast.Attribute):
            for kind in reader.world.kinds(reader, func.value, self.receiver):
                method = reader.world.method(kind, func.attr, above=_is_super(func.value))
                if method is not None:
                    return *method, self.receiver, kind
        return None

    def _entered(
        self, file: PythonFile, what: Function | Class, receiver: Value, kind: tuple[PythonFile, Class] | None
    ) -> Value:
        world, reader = self.reader.world, self.reader
        if isinstance(what, Class):
            return self._made(file, what)
        inner = world.summary(file, what, kind)
        if inner is None:
            return joined((*self.given, *self.named.values(), self.receiver))
        own = receiver or (world.class_thing(kind) if kind is not None else NOTHING)
        step = Step(what.name, reader.file.path, self.node.lineno)
        result = world.apply(inner, reader.summary, self.arguments(what, own), step, staff=reader.staff)
        if inner.stored and (own == SELF or _is_super_of(self.node)):
            for field, held in inner.stored.items():
                reader.summary.stored.setdefault(field, world.filled(held, self.arguments(what, own)))
        return result

    def _made(self, file: PythonFile, what: Class) -> Value:
        """Make an object, with the fields that its constructor sets."""
        return self.reader.world.construct(
            self.reader,
            file,
            what,
            self.given,
            self.named | ({"*": self.spread} if self.spread else {}),
            self.node.lineno,
        )

    def arguments(self, function: Function, own: Value) -> dict[str, Value]:
        """Say which parameter gets what."""
        return arguments(function, self.given, self.named, self.spread, own)


def arguments(
    function: Function, given: list[Value], named: dict[str, Value], spread: Value, own: Value
) -> dict[str, Value]:
    """Say which parameter of a function gets what; `own` is for `self`."""
    names = [p.name for p in function.parameters]
    filled: dict[str, Value] = {}
    if names and names[0] in ("self", "cls"):
        filled["self"] = filled[names.pop(0)] = own
    filled |= dict(zip(names, given, strict=False))
    extra: dict[str, Value] = {}
    for key, value in named.items():
        (filled if key in names else extra)[key] = value
    if spread:
        for name in names:
            filled.setdefault(name, fielded(spread, name))
        extra["*"] = spread
    catcher = function.node.args.kwarg
    if catcher is not None:
        filled[catcher.arg] = Value({Thing(Fields(extra))})
    return filled


def _may_be_caller(atom: object) -> bool:
    from neondba.project.isolation.reader import PERSON

    return isinstance(atom, Param) and bool(PERSON.search(atom.name) or PERSON.search(atom.field))


def _holds_rows(value: Value) -> bool:
    """Tell whether a result is a row of what somebody owns."""
    return any(isinstance(a, Row | Built) and any(m.owners for m in a.query.models) for a in value) or any(
        isinstance(a, Client | Table) for a in value
    )


def _is_super_of(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and _is_super(node.func.value)


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
