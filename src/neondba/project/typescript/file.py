"""One TypeScript or JavaScript file: what it defines, imports, exports and calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from neondba.project.typescript.grammar import faults, parsed
from neondba.project.typescript.lower_statements import lowered
from neondba.project.typescript.nodes import (
    Array,
    Assign,
    Call,
    Class,
    Declare,
    Export,
    Function,
    Import,
    Member,
    Name,
    Node,
    Object,
    Several,
    Template,
    Text,
    directive_of,
)  # fmt: skip


@dataclass(eq=False)
class TypeScriptFile:
    """A file with its statements; the lists hold every node of their kind, functions inside out."""

    path: str
    body: list[Node]
    imports: dict[str, Import]
    exports: list[Export]
    calls: list[Call]
    strings: list[Text | Template]
    objects: list[Object]
    functions: list[Function]
    classes: list[Class]
    fault: int = 0
    """The first line with a syntax error; 0 where there is none."""

    @cached_property
    def directive(self) -> str:
        """The directive at the top: `use server`, `use client`, or nothing."""
        return directive_of(self.body)

    @cached_property
    def definitions(self) -> dict[str, Node]:
        """What the top-level names of the file stand for: a Function, a Class or an expression."""
        found: dict[str, Node] = {}
        for statement in self.body:
            for one in statement.parts if isinstance(statement, Several) else [statement]:
                if isinstance(one, Function | Class) and one.name:
                    found[one.name] = one
                elif isinstance(one, Declare) and one.value is not None:
                    found.update(taken_apart(one.target, one.value))
                elif isinstance(one, Assign):
                    self._common_js(one, found)
        return found

    def _common_js(self, one: Assign, found: dict[str, Node]) -> None:
        """Read `exports.name = value` and `module.exports = {...}`."""
        target = one.target
        if not isinstance(target, Member) or not isinstance(target.object, Name | Member):
            return
        owner = target.object.name
        if owner == "exports":
            found.setdefault(target.name, one.value)
            self.exports.append(Export(one.line, target.name, target.name))
        elif owner == "module" and target.name == "exports":
            for part in one.value.properties if isinstance(one.value, Object) else []:
                local = part.value.name if isinstance(part.value, Name) else part.key
                found.setdefault(local, part.value)
                self.exports.append(Export(part.line, part.key, local))
            if isinstance(one.value, Name):
                self.exports.append(Export(one.line, "default", one.value.name))
            else:
                found["default"] = one.value
                self.exports.append(Export(one.line, "default", "default"))

    @cached_property
    def exported(self) -> dict[str, Export]:
        """The exports by name, those with `*` left out."""
        assert self.definitions is not None
        return {e.name: e for e in self.exports if e.name != "*"}

    def calls_of(self, *names: str) -> Iterator[Call]:
        """Give the calls whose last name is one of these: `create` finds `db.user.create(...)`."""
        wanted = set(names)
        for call in self.calls:
            callee = call.callee
            if (isinstance(callee, Member | Name)) and callee.name in wanted:
                yield call


def taken_apart(target: Node, value: Node) -> dict[str, Node]:
    """Give what each name of a pattern stands for."""
    if isinstance(target, Name):
        return {target.name: value}
    found: dict[str, Node] = {}
    if isinstance(target, Object):
        for part in target.properties:
            inner = part.value.target if isinstance(part.value, Assign) else part.value
            found.update(taken_apart(inner, value if part.spread else Member(part.line, value, part.key)))
    elif isinstance(target, Array):
        for one in target.items:
            found.update(taken_apart(one.target if isinstance(one, Assign) else one, value))
    return found


def read_file(path: str, text: str) -> TypeScriptFile:
    """Read a file.

    Raises:
        RecursionError: it is nested too deeply.
    """
    root = parsed(path, text)
    wrong = faults(root)
    lowering, body = lowered(root, wrong)
    imports = {i.local: i for i in [*_required(body), *lowering.imports] if i.local}
    return TypeScriptFile(
        path, body, imports, lowering.exports, lowering.calls, lowering.strings, lowering.objects,
        lowering.functions, lowering.classes, wrong[0] if wrong else 0,
    )  # fmt: skip


def _required(body: list[Node]) -> Iterator[Import]:
    """Read `const x = require("y")` and `const { a, b: c } = require("y")`."""
    for statement in body:
        for one in statement.parts if isinstance(statement, Several) else [statement]:
            if not isinstance(one, Declare) or one.value is None:
                continue
            call, wanted = (
                (one.value.object, one.value.name) if isinstance(one.value, Member) else (one.value, "")
            )
            if isinstance(call, Call) and call.name == "require" and call.arguments:
                source = call.arguments[0]
                if isinstance(source, Text):
                    yield from _named(one, wanted, source.value)


def _named(one: Declare, wanted: str, source: str) -> Iterator[Import]:
    if isinstance(one.target, Name):
        yield Import(one.line, one.target.name, wanted or "default", source)
    elif isinstance(one.target, Object):
        for part in one.target.properties:
            if isinstance(part.value, Name):
                yield Import(part.line, part.value.name, part.key, source)
