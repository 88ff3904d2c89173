"""Which statements behind an entrance are bound to the caller: a fixed point."""

from __future__ import annotations

from typing import TypeGuard

from neondba.project.isolation.judged import Binding
from neondba.project.isolation.ownership import MEMBERSHIP, TRIVIAL
from neondba.project.isolation.values import (
    Atom,
    Built,
    Caller,
    Check,
    Client,
    Column,
    Cond,
    Query,
    Row,
    Summary,
    Thing,
    Value,
)  # fmt: skip

ROUNDS = 6
OWNING = ("id", "_id", "uuid", "_by", "owner", "slug", "key", "_ref", "email", "?", "name", "code")


class Bindings:
    """What is known to be the caller's: statements, and what the client has sent."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self.bound: dict[Query, tuple[Binding, str]] = {}
        self.confirmed: dict[Client, str] = {}
        self.staff = next(
            (c for c in summary.checks if c.kind == "role" and any(isinstance(a, Caller) for a in c.left)),
            None,
        )
        for _ in range(ROUNDS):
            before = len(self.bound), len(self.confirmed)
            self._round()
            if before == (len(self.bound), len(self.confirmed)):
                break

    def _round(self) -> None:
        for check in self.summary.checks:
            if check.kind == "compared":
                self._compared(check, check.left, check.right)
                self._compared(check, check.right, check.left)
            elif check.kind.startswith("asked"):
                self._asked(check)
        for query in self.summary.queries:
            if query not in self.bound and query.kind != "insert":
                self._conditions(query)
            if query in self.bound and query.kind != "insert":
                self._spread(query)
            if query.kind == "insert" and query not in self.bound:
                self._made(query)

    def good(self, value: Value) -> str:
        """Say why a value is the caller's; empty where it is not known to be."""
        for atom in value:
            match atom:
                case Caller(words, role) if not role:
                    return words
                case Client():
                    if atom in self.confirmed:
                        return self.confirmed[atom]
                    if atom.field and Client(atom.name) in self.confirmed:
                        return self.confirmed[Client(atom.name)]
                case Row(query) | Built(query) if query in self.bound:
                    return f"the {_table(query)} of line {query.line}"
                case Thing(fields):
                    for held in fields.values.values():
                        if why := self.good(Value(a for a in held if not isinstance(a, Thing))):
                            return why
                case _:
                    pass
        return ""

    def _compared(self, check: Check, mine: Value, other: Value) -> None:
        words = self.good(mine)
        if not words or not any(_compares(a) for a in mine):
            return
        self._confirm(other, f"compared with {words} in line {check.line}")

    def _asked(self, check: Check) -> None:
        caller = check.kind == "asked surely" or any(isinstance(a, Caller) for a in check.left | check.right)
        if caller:
            self._confirm(check.left | check.right, f"checked by {check.words} in line {check.line}")

    def _confirm(self, value: Value, why: str) -> None:
        for atom in value:
            if isinstance(atom, Client):
                self.confirmed.setdefault(atom, why)
            elif isinstance(atom, Row | Built):
                self.bound.setdefault(atom.query, (Binding.BOUND_LATER, why))

    def _conditions(self, query: Query) -> None:
        if query.unknown:
            self.bound[query] = (Binding.BOUND, "narrowed for the caller outside the project")
            return
        for condition in spelled(query.conditions):
            if condition.column.startswith("!"):
                continue
            words = self.good(Value(a for a in condition.value if not _is_own(a, query)))
            if words:
                named = "a condition" if condition.column == "?" else condition.column
                self.bound[query] = (Binding.BOUND, f"{named} is held against {words}")
                return

    def _spread(self, query: Query) -> None:
        """Take what a bound statement is also asked for as the caller's."""
        names = " ".join(m.name for m in query.models)
        member = bool(MEMBERSHIP.search(names))
        shares = member or not TRIVIAL.search(names)
        later = f"its {_table(query)} is looked up for the caller in line {query.line}"
        for condition in spelled(query.conditions):
            if condition.column != "id" and not (shares and condition.column.endswith(OWNING)):
                continue
            for atom in condition.value:
                if isinstance(atom, Client):
                    words = f"found together with the caller's {_table(query)} in line {query.line}"
                    self.confirmed.setdefault(atom, words)
                elif _is_parent(atom, query, certain=condition.column == "id" or member):
                    self.bound.setdefault(atom.query, (Binding.BOUND_LATER, later))

    def _made(self, query: Query) -> None:
        for condition in query.conditions:
            if (
                condition.column.startswith("=") and condition.column[1:].endswith(OWNING)
            ) or condition.column == "=*":
                words = self.good(condition.value)
                if words:
                    self.bound[query] = (Binding.BOUND, f"{condition.column[1:]} is {words}")
                    return


def spelled(conditions: list[Cond]) -> list[Cond]:
    """Give conditions with those that a dictionary carries taken out of it."""
    found = []
    for condition in conditions:
        if condition.column not in ("**", "=*"):
            found.append(condition)
            continue
        start = "=" if condition.column == "=*" else ""
        for atom in condition.value:
            if isinstance(atom, Thing):
                found += [Cond(start + k if k != "*" else condition.column, v, False, condition.line)
                          for k, v in atom.fields.values.items()]  # fmt: skip
            else:
                found.append(Cond(condition.column, Value({atom}), False, condition.line))
    return found


def _is_own(atom: Atom, query: Query) -> bool:
    return isinstance(atom, Row | Built) and atom.query is query


def _is_parent(atom: Atom, query: Query, *, certain: bool) -> TypeGuard[Row]:
    """Tell whether a row points at what a statement has looked up for the caller."""
    if not isinstance(atom, Row) or atom.query is query:
        return False
    return certain or atom.field.endswith("_id")


def _compares(atom: Atom) -> bool:
    return not isinstance(atom, Column) and not (isinstance(atom, Caller) and atom.role)


def _table(query: Query) -> str:
    models = query.models
    return models[0].name if models else "row"
