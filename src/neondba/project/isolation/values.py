"""What a value in a function can hold, as far as isolation asks.

Nobody changes an atom once it is made. None is declared frozen, for hundreds of thousands are made, and a
frozen one takes three times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain
from typing import Self, cast

from neondba.project.isolation.judged import Step
from neondba.project.owners import Model
from neondba.project.python import Class, Function, PythonFile


class Value(frozenset["Atom"]):
    """
    Everything that a value may be made from; empty where nothing is known.

    It goes through its atoms in the order in which they were found: the first that tells something gives the
    reason, and a set's own order differs from one process to the next.
    """

    __slots__ = ("_order",)
    _order: tuple[Atom, ...]

    def __new__(cls, atoms: Iterable[Atom] = ()) -> Self:
        """Keep each atom once."""
        order = tuple(dict.fromkeys(atoms))
        made = super().__new__(cls, order)
        made._order = order
        return made

    def __iter__(self) -> Iterator[Atom]:
        """Go through the atoms in order."""
        return iter(self._order)

    def __or__(self, other: AbstractSet[object]) -> Value:
        """Give what either holds, this one's first."""
        if not other or other is self:
            return self
        if not self and isinstance(other, Value):
            return other
        return Value(chain(self._order, cast("Iterable[Atom]", other)))

    def __sub__(self, other: AbstractSet[object]) -> Value:
        """Give what only this one holds."""
        return Value(a for a in self._order if a not in other)


NOTHING = Value()
PART = "…"
"""The field that stands for some fields of a body: those that the program lets through."""
DERIVED = "~"
"""The field that stands for what something outside the project has made of a value."""
MOST = 24
"""Atoms kept of one value; a larger one tells nothing."""


@dataclass(unsafe_hash=True, slots=True)
class Param:
    """What a function was given, or a field of it: replaced where the function is called."""

    name: str
    field: str = ""


SELF = Value({Param("self")})
"""The object that a method is called on."""


@dataclass(unsafe_hash=True, slots=True)
class Client:
    """What a client, or a model that fills in a tool's arguments, has chosen."""

    name: str
    field: str = ""

    @property
    def chosen(self) -> bool:
        """Whether it still is what the client said, not what somebody has looked up by it."""
        return DERIVED not in self.field

    @property
    def words(self) -> str:
        """The name as the project writes it."""
        return f"{self.name}.{self.field}" if self.field else self.name


@dataclass(unsafe_hash=True, slots=True)
class Caller:
    """Something that a verified session or token tells of who is calling."""

    words: str
    role: bool = False
    """Whether it is what the caller may do, not who it is: `user.is_admin`."""


@dataclass(unsafe_hash=True, slots=True)
class Table:
    """A model class as a value."""

    model: Model


@dataclass(unsafe_hash=True, slots=True)
class Column:
    """A column of a model; `table` is what the model is known by where that is a parameter."""

    name: str
    model: Model | None = None


@dataclass(unsafe_hash=True, slots=True)
class Row:
    """A row, or several, that a statement gives, or a field of one."""

    query: Query
    field: str = ""


@dataclass(unsafe_hash=True, slots=True)
class Built:
    """A statement that is not run yet."""

    query: Query


@dataclass(unsafe_hash=True, slots=True)
class Cond:
    """A condition: a column, and what it is held against."""

    column: str
    """Its name; with `=` before it where it is set, with `!` where it must differ."""
    value: Value
    constant: bool = False
    """Whether it is held against a constant."""
    line: int = 0
    model: Model | None = None


@dataclass(unsafe_hash=True, slots=True)
class Thing:
    """An object, or a dictionary, whose fields are known."""

    fields: Fields


@dataclass(eq=False, slots=True)
class Fields:
    """The fields of an object; one per place that makes it."""

    values: dict[str, Value]
    file: PythonFile | None = None
    kind: Class | None = None


Atom = Param | Client | Caller | Table | Column | Row | Built | Cond | Thing


@dataclass(eq=False, slots=True)
class Query:
    """One statement, with the conditions that are ever added to it."""

    kind: str
    """`select`, `get`, `insert`, `update` or `delete`."""
    tables: Value
    path: str
    line: int
    function: Function | None = None
    conditions: list[Cond] = field(default_factory=list)
    counts: bool = False
    """Only an aggregate is read."""
    single: bool = False
    """One row at most is read."""
    staff: bool = False
    """It stands in a branch for administrators."""
    changed: bool = False
    """A row of it is changed or deleted afterwards."""
    unknown: bool = False
    """Something outside the project may narrow it for the caller."""
    way: tuple[Step, ...] = ()
    order: tuple[Model, ...] = ()
    """The tables in the order of the text, where it is SQL."""

    @property
    def models(self) -> list[Model]:
        """The models it is about."""
        if self.order:
            return list(self.order)
        return [a.model for a in self.tables if isinstance(a, Table)]


@dataclass(unsafe_hash=True, slots=True)
class Check:
    """A comparison, or a call that may check something."""

    kind: str
    """`compared`, `asked` or `role`."""
    left: Value
    right: Value
    path: str
    line: int
    words: str = ""


@dataclass(unsafe_hash=True, slots=True)
class Write:
    """A field that is set on a row; `field` is `*` where the client names it."""

    target: Value
    field: str
    value: Value
    path: str
    line: int
    function: Function | None = None
    key: str = ""
    """The variable that names the field, where the field is `*`."""


@dataclass(eq=False)
class Summary:
    """What a call of a function does, in terms of its parameters."""

    queries: list[Query] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    narrowed: list[tuple[Value, Cond]] = field(default_factory=list)
    """Conditions added to statements that the function was given."""
    result: Value = NOTHING
    stored: dict[str, Value] = field(default_factory=dict)
    """Fields that a method sets on its own object."""
    kinds: list[tuple[Value, str]] = field(default_factory=list)
    """What happens to statements and rows that the function was given: `delete`, `changed`."""


def joined(values: Iterable[Value]) -> Value:
    """Give what any of several values may hold."""
    held = [v for v in values if v]
    if len(held) < 2:
        return held[0] if held and len(held[0]) <= MOST else NOTHING
    found = Value(chain.from_iterable(held))
    return found if len(found) <= MOST else NOTHING


def fielded(value: Value, name: str) -> Value:
    """Give what a field of a value may hold."""
    found: list[Atom] = []
    for atom in value:
        if isinstance(atom, Thing):
            fields = atom.fields.values
            found += fields[name] if name in fields else fields.get("*", NOTHING)
        else:
            found.append(_field(atom, name))
    return Value(found)


def _field(atom: Atom, name: str) -> Atom:
    match atom:
        case Row() | Built() | Caller() if name == DERIVED:
            return atom
        case Param() | Client():
            return type(atom)(atom.name, _deeper(atom.field, name))
        case Row(query, before):
            return Row(query, _deeper(before, name))
        case Built(query):
            return Row(query, name)
        case Table(model):
            return Column(name, model)
        case Caller(words, role) if not role:
            return Caller(_worded(words, name), is_role(name))
        case _:
            return atom


def _worded(words: str, name: str) -> str:
    return f"{words}.{name}" if words.count(".") < 2 else words


def _deeper(before: str, name: str) -> str:
    if name == DERIVED:
        return before if before.endswith(DERIVED) else f"{before}.{DERIVED}" if before else DERIVED
    return f"{before}.{name}" if before and before.count(".") < 2 else before or name


ROLES = ("role", "admin", "superuser", "staff", "permission", "scope", "privilege", "is_manager", "is_owner")


def is_role(name: str) -> bool:
    """Tell whether a name says what a person may do."""
    lowered = name.lower()
    return any(word in lowered for word in ROLES)
