"""Follow values through one function, and note what it asks of the database."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from neondba.project.isolation.building import started
from neondba.project.isolation.callers import CARRIED, CONTEXT_VARIABLE, SENT
from neondba.project.isolation.calls import value_of_call
from neondba.project.isolation.substitution import alter
from neondba.project.isolation.values import (
    NOTHING,
    PART,
    SELF,
    Caller,
    Check,
    Client,
    Column,
    Cond,
    Fields,
    Param,
    Summary,
    Table,
    Thing,
    Value,
    Write,
    fielded,
    is_role,
    joined,
)  # fmt: skip
from neondba.project.python import Class, Function, PythonFile

if TYPE_CHECKING:
    from neondba.project.isolation.world import World

MODEL_FIELDS = (
    "model", "_model", "model_class", "model_cls", "_model_class", "entity", "table", "orm_model", "Model",
    "db_model", "_entity", "model_type", "__model__",
)  # fmt: skip
"""Names under which a generic class keeps the model it is for."""
PERSON = re.compile(r"user|principal|claims|identity|account|\bme\b|member|payload|auth|token", re.IGNORECASE)
_ENDING = (ast.Raise, ast.Return, ast.Continue, ast.Break)
_REFUSING = re.compile(r"abort|forbid|deny|raise|redirect|unauthori", re.IGNORECASE)


class Reader:
    """Reads one function; `owner` is the class that `self` is of."""

    def __init__(
        self,
        world: World,
        file: PythonFile,
        function: Function | None,
        owner: tuple[PythonFile, Class] | None,
    ) -> None:
        self.world, self.file, self.function, self.owner = world, file, function, owner
        self.names: dict[str, Value] = {}
        self.annotations: dict[str, ast.expr] = {}
        self.summary = Summary()
        self.staff = False
        """Whether only administrators get as far as this statement."""
        self.branch = 0
        self.role_asked: Value = NOTHING
        self.nested: dict[str, Function] = {}
        self.calls: dict[int, Value] = {}
        """The values of calls, by identity of the node: each call is read once."""
        if function is not None:
            self._open(function)

    def _open(self, function: Function) -> None:
        for parameter in function.parameters:
            self.names[parameter.name] = Value({Param(parameter.name)})
            if parameter.annotation is not None:
                self.annotations[parameter.name] = parameter.annotation
        extra = function.node.args.kwarg
        if extra is not None:
            self.names[extra.arg] = Value({Param(extra.arg)})
        self.nested = {f.name: f for f in function.functions}

    def read(self) -> Summary:
        """Go through the function's body."""
        if self.function is not None:
            self.block(self.function.node.body)
        return self.summary

    def block(self, body: list[ast.stmt]) -> None:
        """Go through statements in order."""
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """Note what one statement does."""
        match node:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, self.value(value), value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign([target], self.value(value), value)
            case ast.AugAssign(target=target, value=value):
                self._assign([target], self.value(value) | self.value(target), value)
            case ast.Return(value=value):
                self.summary.result |= self.value(value)
            case ast.Expr(value=value) | ast.Raise(exc=value) | ast.Assert(test=value):
                self.value(value)
            case _:
                self._compound(node)

    def _compound(self, node: ast.stmt) -> None:
        match node:
            case ast.If():
                self._if(node)
            case ast.For() | ast.AsyncFor():
                self.bind(node.target, self.value(node.iter))
                self._branches(node.body, node.orelse)
            case ast.While():
                self.value(node.test)
                self._branches(node.body, node.orelse)
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.Try() | ast.TryStar():
                self.block(node.body)
                self._branches(*[h.body for h in node.handlers], node.orelse)
                self.block(node.finalbody)
            case ast.Match():
                self.value(node.subject)
                self._branches(*[c.body for c in node.cases])
            case _:
                pass

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self._assign([item.optional_vars], value, item.context_expr)
        self.block(node.body)

    def _branches(self, *bodies: list[ast.stmt]) -> None:
        self.branch += 1
        before = self.staff
        for body in bodies:
            self.staff = before
            self.block(body)
        self.staff = before
        self.branch -= 1

    def _if(self, node: ast.If) -> None:
        """Read both branches; one of them may be for administrators."""
        self.role_asked = NOTHING
        self.value(node.test)
        role, self.role_asked = self.role_asked, NOTHING
        negative, plain = _polarity(node.test)
        role = role if plain else NOTHING
        self.branch += 1
        before = self.staff
        for body, is_staff in ((node.body, not negative), (node.orelse, negative)):
            self.staff = before or (bool(role) and is_staff)
            self.block(body)
        self.staff = before
        self.branch -= 1
        if role and negative and _ends(node.body):
            self.staff = True
            if not self.branch:
                self.summary.checks.append(Check("role", role, NOTHING, self.file.path, node.lineno))

    def _assign(self, targets: list[ast.expr], value: Value, source: ast.expr) -> None:
        for target in targets:
            self.bind(target, value, source)

    def bind(self, target: ast.expr, value: Value, source: ast.expr | None = None) -> None:
        """Give a value to a name, a field or several."""
        if isinstance(target, ast.Name):
            old = self.names.get(target.id, NOTHING) if self.branch else NOTHING
            self.names[target.id] = joined((value, old)) if old else value
            if source is not None and isinstance(source, ast.Call):
                self.annotations.setdefault(target.id, source)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = source.elts if isinstance(source, ast.Tuple | ast.List) else []
            for i, part in enumerate(target.elts):
                self.bind(part, self.value(parts[i]) if len(parts) == len(target.elts) else value)
        elif isinstance(target, ast.Attribute):
            self.store(self.value(target.value), target.attr, value, target)
        elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            self.store(self.value(target.value), str(target.slice.value), value, target)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)

    def store(self, base: Value, field: str, value: Value, node: ast.AST) -> None:
        """Note that a field is set."""
        for atom in base:
            if isinstance(atom, Thing):
                old = atom.fields.values.get(field, NOTHING) if self.branch else NOTHING
                atom.fields.values[field] = old | value
            elif atom == Param("self"):
                self.summary.stored[field] = self.summary.stored.get(field, NOTHING) | value
        line = getattr(node, "lineno", 1)
        if base and base != SELF:
            self.summary.writes.append(Write(base, field, value, self.file.path, line, self.function))
            alter(self.summary, base, "changed")

    def value(self, node: ast.AST | None) -> Value:
        """Give what an expression may hold."""
        read = _READING.get(type(node))
        return read(self, node) if read is not None else NOTHING

    def name(self, node: ast.Name) -> Value:
        """Give what a name holds: local, or of the module."""
        found = self.names.get(node.id)
        if found is None:
            return self.world.named(self.file, node)
        roles = [a for a in found if isinstance(a, Caller) and a.role]
        self.role_asked |= Value(roles)
        return found

    def attribute(self, node: ast.Attribute) -> Value:
        """Give a field's value; what a middleware has filled in is the caller's."""
        dotted = dotted_name(node)
        if dotted and CARRIED.search(dotted):
            words = dotted
            return self._asked(Value({Caller(words, is_role(node.attr))}), node.attr)
        base = self.value(node.value)
        if node.attr == "query" and any(isinstance(a, Table) for a in base):
            return started(self, node, base, "select")
        if base == SELF and node.attr in self.summary.stored:
            return self.summary.stored[node.attr]
        if _is_model(node.value) and any(isinstance(a, Param) for a in base):
            return Value({Column(node.attr)})
        if base:
            return self._asked(fielded(base, node.attr), node.attr)
        if dotted and (sent := SENT.match(dotted)):
            return Value({Client("request", sent[2])})
        return self.world.named(self.file, node)

    def _asked(self, value: Value, name: str) -> Value:
        """Note that the caller's role is looked at."""
        if is_role(name):
            self.role_asked |= Value(a for a in value if _is_person(a))
        return value

    def subscript(self, node: ast.Subscript) -> Value:
        """Give an item's value."""
        base = self.value(node.value)
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            dotted = dotted_name(node.value)
            if not base and dotted in ("session", "flask.session") and CONTEXT_VARIABLE.search(key.value):
                return Value({Caller(f"session[{key.value!r}]")})
            if dotted.endswith(("request.session", "websocket.session")):
                return Value({Caller(f"session[{key.value!r}]")})
            return self._asked(fielded(base, key.value), key.value)
        self.value(key)
        return base

    def compare(self, node: ast.Compare) -> Value:
        """Give a condition of a statement, or note a comparison in the program."""
        values = [self.value(part) for part in (node.left, *node.comparators)]
        if any(isinstance(a, Column) for v in values for a in v):
            found = conditioned(values[0], values[1], node.comparators[0], node.lineno)
            if isinstance(node.ops[0], ast.Eq | ast.In | ast.Is):
                return Value({found})
            return Value({Cond(f"!{found.column}", found.value, found.constant, found.line, found.model)})
        if isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn) and values[0] and values[1]:
            said = ast.unparse(node)[:60]
            self.summary.checks.append(
                Check("compared", values[0], values[1], self.file.path, node.lineno, said)
            )
        return NOTHING

    def gathered(self, node: ast.AST) -> Value:
        """Give what the parts hold together."""
        return joined(self.value(part) for part in ast.iter_child_nodes(node))

    def chosen(self, node: ast.IfExp) -> Value:
        """Give either branch's value."""
        self.value(node.test)
        return joined((self.value(node.body), self.value(node.orelse)))

    def mapping(self, node: ast.Dict) -> Value:
        """Give a dictionary with the fields that are named in it."""
        fields = Fields({})
        for key, value in zip(node.keys, node.values, strict=True):
            held = self.value(value)
            if key is None:
                _spread(fields, held)
            elif isinstance(key, ast.Constant):
                fields.values[str(key.value)] = held
            else:
                fields.values["*"] = fields.values.get("*", NOTHING) | held
        return Value({Thing(fields)})

    def comprehended(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        """Give what the elements hold."""
        for generator in node.generators:
            self.bind(generator.target, self.value(generator.iter))
            for test in generator.ifs:
                self.value(test)
        if isinstance(node, ast.DictComp):
            whole = joined((self.value(node.key), self.value(node.value)))
            return fielded(whole, PART) if node.generators[0].ifs else whole
        return self.value(node.elt)

    def walrus(self, node: ast.NamedExpr) -> Value:
        """Give the value that is named on the way."""
        value = self.value(node.value)
        self.bind(node.target, value, node.value)
        return value

    def yielded(self, node: ast.Yield | ast.YieldFrom) -> Value:
        """Note what a generator gives."""
        self.summary.result |= self.value(node.value)
        return NOTHING

    def within(self, node: ast.Await | ast.Starred | ast.FormattedValue | ast.UnaryOp) -> Value:
        """Give the value inside."""
        return self.value(node.operand if isinstance(node, ast.UnaryOp) else node.value)

    def lambda_(self, node: ast.Lambda) -> Value:
        """Give what an inner function gives, its own parameters unknown."""
        return self.value(node.body)


def conditioned(left: Value, right: Value, other: ast.AST, line: int) -> Cond:
    """Make a condition of a comparison with a column."""
    columns = [a for a in left if isinstance(a, Column)]
    held, constant = right, isinstance(other, ast.Constant)
    if not columns:
        columns, held = [a for a in right if isinstance(a, Column)], left
    value = Value(a for a in held if not isinstance(a, Column | Table))
    return Cond(columns[0].name, value, constant, line, columns[0].model)


def _is_model(node: ast.expr) -> bool:
    """Tell whether an expression is a class that is only known where the function is called."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in MODEL_FIELDS


def _spread(fields: Fields, value: Value) -> None:
    for atom in value:
        if isinstance(atom, Thing):
            fields.values |= atom.fields.values
        else:
            fields.values["*"] = fields.values.get("*", NOTHING) | Value({atom})


def _is_person(atom: object) -> bool:
    if isinstance(atom, Param):
        return bool(PERSON.search(atom.name) or PERSON.search(atom.field.partition(".")[0]))
    return isinstance(atom, Caller)


def _polarity(test: ast.expr) -> tuple[bool, bool]:
    """Tell whether a test holds for those who are refused, and whether it asks only that."""
    negative = any(
        (isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.Not))
        or (isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.NotEq | ast.NotIn | ast.IsNot))
        for n in ast.walk(test)
    )
    if isinstance(test, ast.BoolOp):
        return negative, isinstance(test.op, ast.Or) == negative
    return negative, True


def _ends(body: list[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, _ENDING):
        return True
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and bool(_REFUSING.search(dotted_name(last.value.func)))
    )


def dotted_name(node: ast.AST) -> str:
    """Give a dotted name as written; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Await | ast.Call):
        inner = dotted_name(node.value if isinstance(node, ast.Await) else node.func)
        return ".".join([inner, *reversed(parts)]) if inner else ""
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


_READING: dict[type, Any] = {
    ast.Name: Reader.name, ast.Attribute: Reader.attribute, ast.Subscript: Reader.subscript,
    ast.Call: value_of_call, ast.Compare: Reader.compare, ast.Dict: Reader.mapping,
    ast.IfExp: Reader.chosen, ast.NamedExpr: Reader.walrus, ast.Lambda: Reader.lambda_,
    ast.Yield: Reader.yielded, ast.YieldFrom: Reader.yielded,
    **dict.fromkeys((ast.Await, ast.Starred, ast.FormattedValue, ast.UnaryOp), Reader.within),
    **dict.fromkeys((ast.BoolOp, ast.BinOp, ast.JoinedStr, ast.Tuple, ast.List, ast.Set), Reader.gathered),
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp), Reader.comprehended),
}  # fmt: skip
