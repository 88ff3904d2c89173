"""Put what a call gives in place of a function's parameters."""

from __future__ import annotations

from neondba.project.isolation.judged import Step
from neondba.project.isolation.values import (
    NOTHING,
    Atom,
    Built,
    Caller,
    Check,
    Client,
    Column,
    Cond,
    Fields,
    Param,
    Query,
    Row,
    Summary,
    Table,
    Thing,
    Value,
    Write,
    fielded,
)  # fmt: skip

DEEP = 5
"""Calls between an entrance and a statement that are still told."""
MOST_QUERIES, MOST_CHECKS = 80, 240


class Substitution:
    """One call's view of a summary: its statements copied, its parameters filled in."""

    def __init__(self, given: dict[str, Value]) -> None:
        self.given = given
        self._copies: dict[Query, Query] = {}
        self._things: dict[Fields, Fields] = {}
        self._known: dict[Value, Value] = {NOTHING: NOTHING}

    def value(self, value: Value) -> Value:
        """Give a value with the parameters filled in."""
        known = self._known.get(value)
        if known is None:
            found: list[Atom] = []
            for atom in value:
                self._fill(atom, found)
            known = self._known[value] = Value(found)
        return known

    def _fill(self, atom: Atom, found: list[Atom]) -> None:
        kind = type(atom)
        if kind is Caller or kind is Client or kind is Table or kind is Column:
            found.append(atom)
            return
        match atom:
            case Param(name, field):
                given = self.given.get(name, NOTHING)
                for part in field.split(".") if field else ():
                    given = fielded(given, part)
                found += given
            case Row(query, field):
                found.append(Row(self._copies.get(query, query), field))
            case Built(query):
                found.append(Built(self._copies.get(query, query)))
            case Cond():
                found.append(self.condition(atom))
            case Thing(fields):
                found.append(Thing(self._thing(fields)))

    def condition(self, atom: Cond) -> Cond:
        """Give a condition with the parameters filled in."""
        if not atom.value:
            return atom
        return Cond(atom.column, self.value(atom.value), atom.constant, atom.line, atom.model)

    def _thing(self, fields: Fields) -> Fields:
        made = self._things.get(fields)
        if made is None:
            made = self._things[fields] = Fields({}, fields.file, fields.kind)
            made.values = {k: self.value(v) for k, v in fields.values.items()}
        return made

    def apply(self, inner: Summary, outer: Summary, step: Step, *, staff: bool) -> Value:
        """Add what a callee does to what its caller does; give its result."""
        deep = [q for q in inner.queries if len(q.way) < DEEP][: max(0, MOST_QUERIES - len(outer.queries))]
        for query in deep:
            self._copies[query] = Query(
                query.kind, NOTHING, query.path, query.line, query.function,
                counts=query.counts, single=query.single, staff=query.staff or staff, changed=query.changed,
                unknown=query.unknown, way=(step, *query.way), order=query.order,
            )  # fmt: skip
        self._known = {NOTHING: NOTHING}
        for query in deep:
            copy = self._copies[query]
            copy.tables = self.value(query.tables)
            copy.conditions = [self.condition(c) for c in query.conditions]
            outer.queries.append(copy)
        for check in inner.checks if len(outer.checks) < MOST_CHECKS else ():
            left, right = self.value(check.left), self.value(check.right)
            if check.kind == "role" or _can_be_checked(left) or _can_be_checked(right):
                outer.checks.append(Check(check.kind, left, right, check.path, check.line, check.words))
        for write in inner.writes[:40]:
            target = self.value(write.target)
            if _can_be_checked(target):
                value = self.value(write.value)
                outer.writes.append(
                    Write(target, write.field, value, write.path, write.line, write.function, write.key)
                )
        for target, condition in inner.narrowed:
            narrow(outer, self.value(target), self.condition(condition))
        for target, kind in inner.kinds:
            alter(outer, self.value(target), kind)
        return self.value(inner.result)


def _can_be_checked(value: Value) -> bool:
    """Tell whether a value holds what a check may bind to the caller."""
    return any(isinstance(a, Param | Client | Row | Built | Thing) for a in value)


def narrow(summary: Summary, target: Value, condition: Cond) -> None:
    """Add a condition to the statements in a value."""
    for atom in target:
        if isinstance(atom, Built | Row):
            atom.query.conditions.append(condition)
        elif isinstance(atom, Param):
            summary.narrowed.append((Value({atom}), condition))


def alter(summary: Summary, target: Value, kind: str) -> None:
    """Note what happens to the statements or rows in a value."""
    for atom in target:
        if isinstance(atom, Built) and kind in ("update", "delete"):
            atom.query.kind = kind
        elif isinstance(atom, Built | Row):
            if kind == "counts":
                atom.query.counts = True
            elif kind == "single":
                atom.query.single = True
            else:
                atom.query.changed = True
        elif isinstance(atom, Param):
            summary.kinds.append((Value({atom}), kind))
