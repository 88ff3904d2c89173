"""The project as the flow sees it: what names mean, and what each function does."""

from __future__ import annotations

import ast
import re
from contextlib import suppress

from neondba.project.isolation.callers import CONTEXT_VARIABLE
from neondba.project.isolation.calls import arguments
from neondba.project.isolation.judged import Step
from neondba.project.isolation.reader import MODEL_FIELDS, Reader
from neondba.project.isolation.substitution import Substitution
from neondba.project.isolation.values import (
    NOTHING,
    Caller,
    Fields,
    Param,
    Summary,
    Table,
    Thing,
    Value,
)  # fmt: skip
from neondba.project.owners import Model, Owners
from neondba.project.python import Class, Function, PythonFile, PythonFiles

DEEPEST = 14
"""Functions that are open at once while one is read."""
_PROXY = re.compile(r"^(flask_login|flask_jwt_extended|quart_auth)\.current_user$")

Kind = tuple[PythonFile, Class]


class World:
    """Reads every function once, in terms of its parameters."""

    def __init__(self, files: PythonFiles, owners: Owners, tables: dict[str, Model] | None = None) -> None:
        self.files, self.owners = files, owners
        self.tables = tables or {}
        """The models by the names of their tables, for statements sent as text."""
        self._summaries: dict[tuple[int, int], Summary | None] = {}
        self._open: set[tuple[int, int]] = set()
        self._module: dict[tuple[str, str], Value] = {}
        self._things: dict[int, Value] = {}
        self._above: dict[int, list[Kind]] = {}

    def summary(self, file: PythonFile, function: Function, kind: Kind | None) -> Summary | None:
        """Say what a function does; `None` where it cannot be followed."""
        key = (id(function), id(kind[1]) if kind is not None else 0)
        if key in self._summaries:
            return self._summaries[key]
        if key in self._open or len(self._open) >= DEEPEST:
            return None
        self._open.add(key)
        found: Summary | None = None
        with suppress(
            RecursionError
        ):  # A text glued together from a thousand parts: its function stays unread.
            found = Reader(self, file, function, kind).read()
        self._open.discard(key)
        self._summaries[key] = found
        return found

    def apply(
        self, inner: Summary, outer: Summary, given: dict[str, Value], step: Step, *, staff: bool = False
    ) -> Value:
        """Add a callee's doings to its caller's; give its result."""
        return Substitution(given).apply(inner, outer, step, staff=staff)

    def named(self, file: PythonFile, node: ast.AST) -> Value:
        """Give what a name of the module, or of one that it imports, stands for."""
        qualified = file.resolve(node)
        if qualified is None or "." not in qualified:
            return NOTHING
        key = (file.module, qualified)
        if key not in self._module:
            self._module[key] = NOTHING
            self._module[key] = self._meaning(file, node, qualified)
        return self._module[key]

    def _meaning(self, file: PythonFile, node: ast.AST, qualified: str) -> Value:
        if _PROXY.match(qualified):
            return Value({Caller("current_user")})
        model = self.owners.model(self.files, file, node)
        if model is not None:
            return Value({Table(model)})
        found = self.files.definition(qualified)
        if found is None:
            return NOTHING
        where, what = found
        if isinstance(what, Class):
            return self.class_thing((where, what))
        if isinstance(what, ast.Call):
            return self._module_value(where, what, qualified)
        if isinstance(what, ast.Name | ast.Attribute) and what is not node:
            return self.named(where, what)
        return NOTHING

    def _module_value(self, where: PythonFile, what: ast.Call, qualified: str) -> Value:
        called = (where.resolve(what.func) or "").rpartition(".")[2]
        if called == "LocalProxy" or (called == "ContextVar" and CONTEXT_VARIABLE.search(qualified)):
            return Value({Caller(qualified.rpartition(".")[2])})
        if called == "aliased" and what.args:
            return self.named(where, what.args[0])
        found = self.files.definition(where.resolve(what.func))
        if found is not None and isinstance(found[1], Class):
            return Reader(self, where, None, None).value(what)
        return NOTHING

    def kinds(self, reader: Reader, node: ast.AST, receiver: Value) -> list[Kind]:
        """Give the classes that an object may be of."""
        found = [
            (a.fields.file, a.fields.kind)
            for a in receiver
            if isinstance(a, Thing) and a.fields.kind is not None and a.fields.file is not None
        ]
        if found:
            return found
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "super"
            and reader.owner is not None
        ):
            return [reader.owner]
        if isinstance(node, ast.Name):
            if node.id in ("self", "cls") and reader.owner is not None:
                return [reader.owner]
            return self._annotated(reader.file, reader.annotations.get(node.id))
        of_self = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self"
        if of_self and isinstance(node, ast.Attribute) and reader.owner is not None:
            return self._of_field(reader.owner, node.attr)
        return []

    def _annotated(self, file: PythonFile, annotation: ast.expr | None) -> list[Kind]:
        if annotation is None or isinstance(annotation, ast.Call):
            return []
        for node in ast.walk(annotation):
            name = node
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                name = ast.Name(node.value, ast.Load())
            found = (
                self.files.definition(file.resolve(name))
                if isinstance(name, ast.Name | ast.Attribute)
                else None
            )
            if found is not None and isinstance(found[1], Class):
                return [(found[0], found[1])]
            if found is not None and isinstance(found[1], ast.Subscript):
                return self._annotated(found[0], found[1])
        return []

    def _of_field(self, owner: Kind, name: str) -> list[Kind]:
        """Give the class of a field of `self`, as the class or its constructor says."""
        for file, kind in self.line_of(owner):
            for node in kind.assignments:
                if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name:
                    return self._annotated(file, node.annotation)
            maker = next((f for f in kind.functions if f.name == "__init__"), None)
            if maker is None:
                continue
            inner = self.summary(file, maker, owner)
            for atom in inner.stored.get(name, NOTHING) if inner is not None else ():
                if isinstance(atom, Thing) and atom.fields.kind is not None and atom.fields.file is not None:
                    return [(atom.fields.file, atom.fields.kind)]
                if isinstance(atom, Param):
                    given = next((p for p in maker.parameters if p.name == atom.name), None)
                    return self._annotated(file, given.annotation if given else None)
        return []

    def line_of(self, kind: Kind) -> list[Kind]:
        """Give a class with those it inherits from, nearest first."""
        known = self._above.get(id(kind[1]))
        if known is not None:
            return known
        found, waiting = [kind], [kind]
        while waiting and len(found) < 12:
            file, each = waiting.pop(0)
            for base in each.bases:
                node = base.value if isinstance(base, ast.Subscript) else base
                origin = self.files.definition(file.resolve(node))
                if (
                    origin is not None
                    and isinstance(origin[1], Class)
                    and (origin[0], origin[1]) not in found
                ):
                    found.append((origin[0], origin[1]))
                    waiting.append((origin[0], origin[1]))
        self._above[id(kind[1])] = found
        return found

    def method(self, kind: Kind, name: str, *, above: bool = False) -> tuple[PythonFile, Function] | None:
        """Find a method of a class, inherited ones included."""
        for file, each in self.line_of(kind)[1 if above else 0 :]:
            for function in each.functions:
                if function.name == name:
                    return file, function
        return None

    def class_thing(self, kind: Kind) -> Value:
        """Give a class as an object: its own fields, and the model it is made for."""
        if id(kind[1]) not in self._things:
            fields = Fields({}, kind[0], kind[1])
            self._things[id(kind[1])] = Value({Thing(fields)})
            fields.values = self.class_fields(kind)
        return self._things[id(kind[1])]

    def filled(self, value: Value, given: dict[str, Value]) -> Value:
        """Give a value of a function with its parameters filled in."""
        return Substitution(given).value(value)

    def class_fields(self, kind: Kind) -> dict[str, Value]:
        """Give what a class body, or the model in its generic base, says of its fields."""
        found: dict[str, Value] = {}
        for file, each in reversed(self.line_of(kind)):
            for base in each.bases:
                for part in ast.walk(base.slice) if isinstance(base, ast.Subscript) else ():
                    table = self.named(file, part) if isinstance(part, ast.Name | ast.Attribute) else NOTHING
                    if any(isinstance(a, Table) for a in table):
                        found |= dict.fromkeys(MODEL_FIELDS, table)
                        break
            for node in each.assignments:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name) and isinstance(
                    node.value, ast.Name | ast.Attribute | ast.Call
                ):
                    value = self.named(file, node.value)
                    if value:
                        found[target.id] = value
        return found

    def construct(
        self,
        reader: Reader,
        file: PythonFile,
        kind: Class,
        given: list[Value],
        named: dict[str, Value],
        line: int,
    ) -> Value:
        """Make an object: what its constructor stores becomes its fields."""
        values = dict(self.class_fields((file, kind)))
        maker = self.method((file, kind), "__init__")
        if maker is None:
            values |= named
        else:
            inner = self.summary(*maker, (file, kind))
            spread = named.pop("*", NOTHING)
            filled = arguments(maker[1], given, named, spread, NOTHING)
            if inner is not None:
                view = Substitution(filled)
                view.apply(inner, reader.summary, Step(kind.name, reader.file.path, line), staff=reader.staff)
                values |= {k: v for k, held in inner.stored.items() if (v := view.value(held))}
            for key, value in filled.items():
                values.setdefault(key, value)
        return Value({Thing(Fields(values, file, kind))})
