"""Follow values through expressions and statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neondba.project.isolation.judged import Step
from neondba.project.typescript import calls, execute, members
from neondba.project.typescript.file import TypeScriptFile
from neondba.project.typescript.files import Found, TypeScriptFiles
from neondba.project.typescript.interest import Interest
from neondba.project.typescript.nodes import (
    Array,
    Assign,
    Binary,
    Block,
    Call,
    Class,
    Conditional,
    Constant,
    Function,
    Index,
    Member,
    Name,
    Node,
    Object,
    Property,
    Several,
    Spread,
    Template,
    Text,
    Unary,
    dotted,
)  # fmt: skip
from neondba.project.typescript.owned import OwnedTables
from neondba.project.typescript.relevance import Relevance
from neondba.project.typescript.run import DEEPEST, Run
from neondba.project.typescript.values import Closure, Scope, Value, item_of, merged, signature, union


class Interpreter:
    """Follows one run through the files of a project; nothing of them is executed."""

    def __init__(
        self,
        files: TypeScriptFiles,
        tables: OwnedTables,
        relevance: Relevance,
        run: Run,
        shared: dict[tuple[str, str], Value],
        interest: Interest,
    ) -> None:
        self.interest = interest
        self.shared = shared
        """Values of names at the top of files that say nothing about a run."""
        self.files = files
        self.tables = tables
        self.relevance = relevance
        self.run = run
        self._modules: dict[tuple[str, str], Value] = {}
        self._plain: dict[tuple[int, tuple[Any, ...]], Value] = {}
        """What calls gave that did nothing else, by function and arguments."""

    def value(self, node: Node | None, scope: Scope) -> Value:
        """Give what an expression stands for."""
        if node is None or self.run.tired:
            return Value()
        self.run.steps += 1
        made = _EXPRESSIONS.get(type(node))
        if made is not None:
            return made(self, node, scope)
        if isinstance(node, Constant):
            return Value(written=node.text)
        execute.statement(self, node, scope, [])
        return Value()

    def _name(self, node: Name, scope: Scope) -> Value:
        if node.name == "this":
            return scope.owner() or Value()
        found = scope.find(node.name)
        if found is not None:
            return found
        return self.of_file(scope.file, node.name)

    def of_file(self, file: TypeScriptFile, name: str) -> Value:
        """Give what a name at the top of a file stands for."""
        key = (file.path, name)
        known = self.shared.get(key) or self._modules.get(key)
        if known is not None:
            return known
        self._modules[key] = Value(written=name)
        run = self.run
        before = (len(run.statements), len(run.callers), len(run.actions), run.clock)
        # What stands at the top of a file is not part of the function that uses it.
        active, run.active = run.active, []
        if name in file.imports or name in file.definitions:
            found = self._resolved(file, name)
            if found is not None:
                self._modules[key] = self.of(found)
        run.active = active
        made = self._modules[key]
        after = (len(run.statements), len(run.callers), len(run.actions), run.clock)
        if before == after and not run.tired:
            self.shared[key] = made
        return made

    def _resolved(self, file: TypeScriptFile, name: str) -> Found | None:
        imported = file.imports.get(name)
        if imported is not None:
            path = self.files.modules.find(file.path, imported.source)
            if path is None or not self.relevance.matters(path):
                return None
        return self.files.resolve(file, name)

    def of(self, found: Found) -> Value:
        """Give the value of a definition."""
        scope = Scope(found.file)
        node = found.node
        if found.name == "*":
            return Value(kind="module", module=found.file)
        if isinstance(node, Function):
            return Value(closure=Closure(node, scope), written=found.name)
        if isinstance(node, Class):
            return Value(kind="class", made=(found.file, node), written=found.name)
        if isinstance(node, Name) and node.name == found.name:
            return Value(written=found.name)
        made = self.value(node, scope)
        if not made.written:
            made.written = found.name
        if column := self.tables.by_variable.get(found.name):
            made.column = column.name
        return made

    def _text(self, node: Text, _scope: Scope) -> Value:
        return Value(written=f'"{node.value}"')

    def _template(self, node: Template, scope: Scope) -> Value:
        holes = [self.value(hole, scope) for hole in node.holes]
        return Value(union(holes))

    def _member(self, node: Member, scope: Scope) -> Value:
        if dotted(node.object) == "process.env":
            return Value(frozenset({("env", node.name)}), written=f"process.env.{node.name}")
        return members.member(self, self.value(node.object, scope), node.name)

    def _index(self, node: Index, scope: Scope) -> Value:
        owner = self.value(node.object, scope)
        if isinstance(node.index, Text):
            return members.member(self, owner, node.index.value)
        if isinstance(node.index, Constant) and node.index.text.isdigit():
            return members.element(owner, int(node.index.text))
        self.value(node.index, scope)
        return item_of(owner)

    def _object(self, node: Object, scope: Scope) -> Value:
        fields: dict[str, Value] = {}
        made = Value(fields=fields)
        for part in node.properties:
            given = self.value(part.value, scope)
            if not part.spread:
                fields[part.key or "[]"] = given
            elif given.fields is not None:
                fields.update(given.fields)
                made.origins |= given.origins
            elif given.origins:
                rest = fields.get("...")
                fields["..."] = merged([rest, given]) if rest else Value(given.origins, written=given.written)
        return made

    def _array(self, node: Array, scope: Scope) -> Value:
        fields: dict[str, Value] = {}
        for number, item in enumerate(node.items):
            given = self.value(item, scope)
            if isinstance(item, Spread) and given.fields is not None:
                fields.update({f"{number}{k}": v for k, v in given.fields.items()})
            else:
                fields[str(number)] = given
        return Value(fields=fields)

    def _spread(self, node: Spread, scope: Scope) -> Value:
        return self.value(node.value, scope)

    def _property(self, node: Property, scope: Scope) -> Value:
        return self.value(node.value, scope)

    def _binary(self, node: Binary, scope: Scope) -> Value:
        left = self.value(node.left, scope)
        right = self.value(node.right, scope)
        if node.operator in ("===", "!==", "==", "!="):
            members.compared(self, left, right, f"compared in line {node.line}")
            return Value()
        if node.operator == "&&":
            members.asked(self, left)
            return right
        if node.operator in ("||", "??"):
            return merged([left, right])
        if node.operator in ("in", "instanceof", "<", ">", "<=", ">="):
            return Value()
        return Value(left.all_origins() | right.all_origins())

    def _unary(self, node: Unary, scope: Scope) -> Value:
        given = self.value(node.value, scope)
        members.asked(self, given)
        return Value() if node.operator in ("!", "typeof") else given

    def _conditional(self, node: Conditional, scope: Scope) -> Value:
        members.asked(self, self.value(node.test, scope))
        return merged([self.value(node.then, scope), self.value(node.otherwise, scope)])

    def _assign(self, node: Assign, scope: Scope) -> Value:
        given = self.value(node.value, scope)
        if isinstance(node.target, Name):
            scope.assign(node.target.name, given)
        elif isinstance(node.target, Member | Index):
            owner = self.value(node.target.object, scope)
            name = node.target.name if isinstance(node.target, Member) else "[]"
            if owner.fields is None and (owner.kind or owner.origins):
                if owner.kind == "request" and members.is_identity(name) and given.origins:
                    owner.fields = {name: given}
            else:
                owner.fields = {**(owner.fields or {}), name: given}
        else:
            self.bind(node.target, given, scope)
        return given

    def _several(self, node: Several, scope: Scope) -> Value:
        return merged([self.value(part, scope) for part in node.parts])

    def _function(self, node: Function, scope: Scope) -> Value:
        made = Closure(node, scope)
        if node.name and isinstance(node.body, Block):
            scope.names.setdefault(node.name, Value(closure=made, written=node.name))
        if node.directive == "use server":
            self.run.actions.append(made)
        return Value(closure=made, written=node.name)

    def _class(self, node: Class, scope: Scope) -> Value:
        return Value(kind="class", made=(scope.file, node), written=node.name)

    def _call(self, node: Call, scope: Scope) -> Value:
        return calls.call(self, node, scope)

    def bind(self, target: Node, given: Value, scope: Scope) -> None:
        """Give the names of a pattern their values."""
        if isinstance(target, Name):
            scope.names[target.name] = given
        elif isinstance(target, Assign):
            if not (given.origins or given.fields or given.closure or given.kind):
                given = self.value(target.value, scope)
            self.bind(target.target, given, scope)
        elif isinstance(target, Object):
            for part in target.properties:
                self.bind(part.value, given if part.spread else members.member(self, given, part.key), scope)
        elif isinstance(target, Array):
            for number, item in enumerate(target.items):
                if isinstance(item, Spread):
                    self.bind(item.value, item_of(given), scope)
                else:
                    self.bind(item, members.element(given, number), scope)

    def invoke(
        self, closure: Closure, arguments: list[Value], *, line: int = 0, this: Value | None = None
    ) -> Value:
        """Follow a call into a function; give what it returns."""
        function, run = closure.function, self.run
        mark = id(function)
        if mark in run.active or len(run.active) >= DEEPEST or function.broken:
            return Value(union(arguments))
        at_top = closure.scope.parent is None
        if at_top and not _brings_functions(arguments) and not self.interest.of(function, closure.scope.file):
            return Value(union(arguments))
        signed = [signature(a) for a in arguments] if at_top and this is None else [None]
        key = None if None in signed else (mark, tuple(signed))
        if key is not None and key in self._plain:
            return self._plain[key]
        before = (run.clock, len(run.callers), len(run.actions))
        given = self._entered(closure, arguments, line, this)
        if key is not None and before == (run.clock, len(run.callers), len(run.actions)) and not run.tired:
            self._plain[key] = given
        return given

    def _entered(self, closure: Closure, arguments: list[Value], line: int, this: Value | None) -> Value:
        function, run = closure.function, self.run
        run.active.append(id(function))
        if function.name:
            run.way.append(Step(function.name, closure.scope.file.path, line or function.line))
        scope = Scope(closure.scope.file, parent=closure.scope, this=this)
        for number, parameter in enumerate(function.parameters):
            rest = isinstance(parameter.target, Spread)
            given = arguments[number] if number < len(arguments) else Value()
            if rest:
                given = Value(fields={str(i): a for i, a in enumerate(arguments[number:])})
            elif number >= len(arguments) and parameter.default is not None:
                given = self.value(parameter.default, scope)
            given = self._typed(parameter.type, given, scope)
            self.bind(
                parameter.target.value if isinstance(parameter.target, Spread) else parameter.target,
                given,
                scope,
            )
        returned: list[Value] = []
        if isinstance(function.body, Block):
            execute.block(self, function.body.body, scope, returned)
        else:
            returned.append(self.value(function.body, scope))
        run.active.pop()
        if function.name:
            run.way.pop()
        return merged(returned)

    def _typed(self, written: str, given: Value, scope: Scope) -> Value:
        """Take a parameter of a class of the project for an instance of it."""
        if (
            written[:1].isupper()
            and written.isidentifier()
            and not (given.kind or given.origins or given.fields)
        ):
            named = self.of_file(scope.file, written)
            if named.kind == "class":
                return Value(kind="instance", made=named.made)
        return given


def _brings_functions(arguments: list[Value]) -> bool:
    return any(
        a.closure is not None
        or a.inner
        or (a.fields and any(f.closure is not None for f in a.fields.values()))
        for a in arguments
    )


Evaluated = Callable[[Interpreter, Any, Scope], Value]
_EXPRESSIONS: dict[type[Node], Evaluated] = {
    Name: Interpreter._name, Text: Interpreter._text, Template: Interpreter._template,
    Member: Interpreter._member, Index: Interpreter._index, Object: Interpreter._object,
    Array: Interpreter._array, Spread: Interpreter._spread, Property: Interpreter._property,
    Binary: Interpreter._binary, Unary: Interpreter._unary, Conditional: Interpreter._conditional,
    Assign: Interpreter._assign, Several: Interpreter._several, Function: Interpreter._function,
    Class: Interpreter._class, Call: Interpreter._call,
}  # fmt: skip
