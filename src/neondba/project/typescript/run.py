"""One entrance on its way: what was sent, what was vouched for, who is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from neondba.project.isolation.judged import Step
from neondba.project.typescript.owned import OwnedTable
from neondba.project.typescript.statements import Statement
from neondba.project.typescript.values import Closure, Origin, Value, in_order

STEPS = 40_000
"""Nodes looked at for one entrance; what comes later is not followed."""
DEEPEST = 9
"""Calls inside calls that are followed."""


@dataclass
class Run:
    """The facts gathered while the code of an entrance is followed."""

    statements: dict[int, Statement] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    """Gives each statement a number that no other run uses: what is at the top of files is shared."""
    vouched: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Paths of client values: when and how they were checked."""
    staff: tuple[int, str] | None = None
    policy: str = ""
    """How the caller's own role or token reaches the database, so that its policies decide."""
    machine: str = ""
    """How another program proves itself."""
    callers: list[str] = field(default_factory=list)
    """How the caller is written, in the order of asking."""
    refused: bool = False
    """A stranger is turned away somewhere."""
    optional: bool = False
    """Somewhere it makes a difference whether there is a caller."""
    trusted: str = ""
    """The text of the project's middlewares: headers that they set are believed."""
    login: bool = False
    parsed: set[str] = field(default_factory=set)
    """First parts of client values that a schema has looked at."""
    actions: list[Closure] = field(default_factory=list)
    tools: list[tuple[str, Value]] = field(default_factory=list)
    way: list[Step] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    steps: int = 0
    ever: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Everything that was vouched for on any way through the code."""
    clock: int = 0
    quiet: bool = False

    @property
    def tired(self) -> bool:
        """Whether too much was looked at already."""
        return self.steps > STEPS

    def tick(self) -> int:
        """Give the next moment."""
        self.clock += 1
        return self.clock

    def send(self, kind: str, table: OwnedTable | None, path: str, line: int, function: str) -> Statement:
        """Note a statement."""
        made = Statement(next(self.numbers), kind, table, path, line, self.tick(), function=function)
        made.way = tuple(self.way)
        made.quiet = self.quiet
        made.by_policy = self.policy
        made.staff = self.staff[1] if self.staff else ""
        made.checks = self.vouched.copy()
        self.statements[made.number] = made
        return made

    def ask(self, written: str) -> Value:
        """Note that the code asks who is calling."""
        self.callers.append(written)
        return Value(frozenset({("caller", written)}), written=written)

    def is_bound(
        self,
        origins: frozenset[Origin],
        checks: dict[str, tuple[int, str]] | None = None,
        seen: set[int] | None = None,
    ) -> str:
        """Tell by what values are the caller's; empty where they are not."""
        known = self.vouched if checks is None else checks
        rows = []
        for kind, key in in_order(origins):
            if kind == "caller":
                return key
            if kind == "client" and key in known:
                return known[key][1]
            if kind == "row":
                rows.append(int(key))
        seen = set() if seen is None else seen
        for number in rows:
            if number not in seen and (why := self.row_is_bound(number, seen)):
                return why
        return ""

    def row_is_bound(self, number: int, seen: set[int] | None = None) -> str:
        """Tell by what a row read before is the caller's."""
        statement = self.statements.get(number)
        if statement is None:
            return ""
        if statement.compared:
            return statement.compared[1]
        if bound := self.bound_by(statement, seen):
            return f"{statement.table_name} of {bound}"
        return ""

    def bound_by(self, statement: Statement, seen: set[int] | None = None) -> str:
        """Tell by which condition a statement is bound."""
        seen = set() if seen is None else seen
        seen.add(statement.number)
        values = [v for _, v in statement.where] + statement.inside
        if statement.kind == "insert":
            values += [v for _, v in statement.data]
        for value in values:
            # A row can only be bound by rows read before it.
            before = (o for o in value.origins if o[0] != "row" or int(o[1]) < statement.number)
            if why := self.is_bound(frozenset(before), statement.checks, seen):
                return why
        return ""

    def vouch(self, value: Value, why: str) -> None:
        """Take it that a value was checked against the caller."""
        moment = self.tick()
        for kind, key in in_order(value.all_origins()):
            if kind == "client":
                self._note(key, moment, why)
            elif kind == "row":
                statement = self.statements.get(int(key))
                if statement is None:
                    continue
                statement.compared = statement.compared or (moment, why)
                for leaf in [v for _, v in statement.where]:
                    for inner, path in in_order(leaf.origins):
                        if inner == "client":
                            self._note(path, moment, why)

    def _note(self, key: str, moment: int, why: str) -> None:
        self.vouched.setdefault(key, (moment, why))
        self.ever.setdefault(key, (moment, why))

    def settle(self, statement: Statement) -> None:
        """Let the client's values that found a row of the caller's count as checked."""
        bound = self.bound_by(statement)
        if not bound or statement.kind == "insert" or (statement.many and not statement.is_write):
            return
        for value in [*(v for _, v in statement.where), *statement.inside]:
            for kind, key in in_order(value.origins):
                if kind == "client":
                    self._note(key, statement.seen, f"the same row as {bound}")
                elif kind == "row":
                    # The parent's row was found, and the caller with it.
                    parent = self.statements.get(int(key))
                    if (
                        parent is not None
                        and parent is not statement
                        and not parent.compared
                        and not parent.is_write
                    ):
                        why = f"a row of {bound} that refers to it"
                        self.vouch(Value(frozenset({(kind, key)})), why)
