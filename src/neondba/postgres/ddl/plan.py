"""Which steps lead from one schema to another, and which of them must wait for which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from neondba.postgres.ddl import values
from neondba.postgres.ddl.order import Graph
from neondba.postgres.ddl.units import occupies
from neondba.postgres.ddl.values import Column, Constraint, Part, Sequence, Table, Value, View
from neondba.postgres.ddl.verdicts import (
    TYPES,
    Sides,
    Verdict,
    descendants,
    index_shape,
    rebuild_too,
    row_types,
)

DROP, ASIDE, LOOSEN, MAKE, ALTER, OLD = (
    "1 drop",
    "2 set aside",
    "3 loosen",
    "4 make",
    "5 alter",
    "6 drop old",
)
"""What a step does; a column is loosened when it waits as text for a range type to be made anew."""
DROPPED: Final = (Verdict.DROP, Verdict.REBUILD)
MADE: Final = (Verdict.MAKE, Verdict.REBUILD, Verdict.SWAP)
KINDS: Final = (
    "schema",
    "extension",
    "enum",
    "type",
    "domain",
    "range",
    "function",
    "sequence",
    "table",
    "column",
    "default",
    "owned by",
    "constraint",
    "index",
    "replica identity",
    "view",
    "statistics",
    "rule",
    "trigger",
    "policy",
    "event trigger",
    "default privileges",
)
"""In which order things are made where nothing else decides."""


SETTINGS: Final = ("table ", "schema ")
"""Kinds of which only options, rights and comments are altered: nothing waits for those."""
REPLACED: Final = ("view", "function", "policy", "default", "owned by", "replica identity")


class Step(NamedTuple):
    """One step with a unit: what is done, and to which key."""

    does: str
    key: str


class Plan:
    """The steps, folded where one statement does several."""

    def __init__(self, sides: Sides, late: set[str], alone: set[str]) -> None:
        """Work out the steps.

        Args:
            sides: Both schemas with what was decided.
            late: Keys of defaults that are set after their table is there.
            alone: Keys of parts that are dropped before their table is.
        """
        self.sides, self.late, self.alone = sides, late, alone
        self.graph: Graph[Step] = Graph()
        self._aside = self._set_aside()
        self._loose = self._loosened()
        for key in sides.verdicts:
            for step in self._steps(key):
                self.graph.add(step)
        self._wait_for_needs()
        self._wait_for_dependents()
        self._wait_for_places()
        self._wait_for_parents()
        self._wait_for_parents_indexes()

    def rank(self, step: Step) -> tuple[int, int, str]:
        """Order steps that could come in any order."""
        value = self.sides.new.get(step.key) or self.sides.old[step.key]
        kind = KINDS.index(value.kind)
        if isinstance(value, Constraint) and value.type == "foreign key":
            kind = KINDS.index("index")
        if step.does in (DROP, LOOSEN) and value.kind != "default privileges":
            return 0, -kind, step.key
        return 1, kind, step.key

    def verdict(self, key: str) -> Verdict:
        """Tell what becomes of a unit."""
        return self.sides.verdicts.get(key, Verdict.KEEP)

    def _set_aside(self) -> set[str]:
        """Name the types that must make room for others while columns still have them."""
        wanted = {
            place
            for key, verdict in self.sides.verdicts.items()
            if verdict is Verdict.MAKE
            for place in occupies(self.sides.new[key])
        }
        return {
            key
            for key, verdict in self.sides.verdicts.items()
            if (verdict is Verdict.SWAP and not self._is_range(key))
            or (
                verdict is Verdict.DROP
                and isinstance(self.sides.old[key], TYPES)
                and not self._is_range(key)
                and occupies(self.sides.old[key]) & wanted
            )
        }

    def _is_range(self, key: str) -> bool:
        """Tell whether it is a range type: its functions keep their names when it is set aside."""
        return isinstance(self.sides.old.get(key), values.Range)

    def _loosened(self) -> set[str]:
        """Name the columns whose old type must go before the new one can come."""
        found = set()
        for key in self.sides.retyped:
            old, new = self.sides.old[key], self.sides.new[key]
            if isinstance(old, Column) and isinstance(new, Column) and not new.inherited:
                types = row_types(old, self.sides.old_needs)
                if self.verdict(key) is Verdict.ALTER and any(self._gone_first(each) for each in types):
                    found.add(key)
        return found

    def _gone_first(self, key: str) -> bool:
        if self._is_range(key):
            return self.verdict(key) is Verdict.SWAP
        return key.startswith(("table ", "view ")) and self.verdict(key) in DROPPED

    def _leaves(self, key: str) -> bool:
        """Tell whether a unit is dropped in one step."""
        verdict = self.verdict(key)
        return verdict in DROPPED or (verdict is Verdict.SWAP and self._is_range(key))

    def _steps(self, key: str) -> Iterator[Step]:
        verdict = self.verdict(key)
        if key in self._aside:
            yield Step(ASIDE, key)
            yield Step(OLD, key)
        elif self._leaves(key):
            yield self.dropping(key)
        if key in self._loose:
            yield Step(LOOSEN, key)
        if verdict in MADE:
            yield self.making(key)
        if verdict is Verdict.ALTER:
            yield Step(ALTER, key)

    def dropping(self, key: str) -> Step:
        """Give the step that drops a unit: its own, or that of what it goes with."""
        value = self.sides.old[key]
        if key not in self.alone:
            for whole in self._goes_with(value):
                if self.verdict(whole) in DROPPED:
                    return self.dropping(whole)
        return Step(OLD if key in self._aside else DROP, key)

    def _goes_with(self, value: Value) -> Iterator[str]:
        if isinstance(value, Part):
            other = getattr(value, "references", None)
            parted = value.table in self.sides.before.children
            crosses = (parted or other != value.table) and self.verdict(f"table {other}") in DROPPED
            if not crosses:
                yield f"table {value.table}"
                yield f"view {value.table}"
        if isinstance(value, Column) and value.inherited:
            yield from self._parents(value, before=True)
        if value.kind == "default":
            yield f"column {value.name}"
        if isinstance(value, Sequence) and value.owned_by is not None:
            yield f"column {value.owned_by}"
        if value.kind == "owned by" and self.verdict(f"sequence {value.name}") in DROPPED:
            yield f"sequence {value.name}"

    def making(self, key: str) -> Step:
        """Give the step that makes a unit: its own, or that of what it comes with."""
        value = self.sides.new[key]
        for whole in self._comes_with(value):
            if self.verdict(whole) in MADE:
                return self.making(whole)
        return Step(MAKE, key)

    def _comes_with(self, value: Value) -> Iterator[str]:
        if isinstance(value, Column):
            yield f"table {value.table}"
            if value.inherited:
                yield from self._parents(value, before=False)
        if value.kind == "default" and value.key not in self.late:
            column = self.sides.new[f"column {value.name}"]
            assert isinstance(column, Column)
            if not column.inherited:
                yield column.key

    def _parents(self, column: Column, *, before: bool) -> Iterator[str]:
        schema = self.sides.before if before else self.sides.after
        table = schema.get(Table, column.table)
        if table is None:
            return
        for parent in (table.partition_of, *table.inherits):
            if schema.get(Column, f"{parent}.{column.part}") is not None:
                yield f"column {parent}.{column.part}"

    def ready(self, key: str) -> Step | None:
        """Give the step after which a unit is as it shall be; nothing when it is so already."""
        verdict = self.verdict(key)
        if verdict in MADE:
            return self.making(key)
        return Step(ALTER, key) if verdict is Verdict.ALTER else None

    def _over(self, key: str) -> Step | None:
        """Give the step after which a unit needs nothing of the old any more."""
        verdict = self.verdict(key)
        if key in self._aside or self._leaves(key):
            return self.dropping(key)
        if key in self._loose:
            return Step(LOOSEN, key)
        old = self.sides.old.get(key)
        if key in self.sides.retyped and isinstance(old, Column) and old.inherited:
            found = (
                self._over(parent) for parent in self._parents(old, before=True) if parent in self.sides.new
            )
            return next((each for each in found if each is not None), Step(ALTER, key))
        return Step(ALTER, key) if verdict is Verdict.ALTER else None

    def _wait_for_needs(self) -> None:
        for key, needed in self.sides.new_needs.items():
            step = self.ready(key)
            for each in needed if step else ():
                before = self.ready(each)
                settings = before is not None and before.does == ALTER and each.startswith(SETTINGS)
                if before is not None and step is not None and not settings:
                    self.graph.then(before, step)

    def _wait_for_dependents(self) -> None:
        for key, needed in self.sides.old_needs.items():
            over = self._over(key)
            for each in needed if over else ():
                assert over is not None
                if each in self._aside or self._leaves(each):
                    self.graph.then(over, self.dropping(each))
                if over.does == DROP:
                    self.graph.then(over, Step(ASIDE, each))
                    self.graph.then(over, Step(LOOSEN, each))
                    if not each.startswith(SETTINGS):
                        self.graph.then(over, Step(ALTER, each))
        for key, verdict in self.sides.verdicts.items():
            if verdict in MADE and self._leaves(key):
                self.graph.then(self.dropping(key), self.making(key))
            if key in self._loose:
                self.graph.then(Step(LOOSEN, key), Step(ALTER, key))
            if key in self._aside:
                self.graph.then(Step(ASIDE, key), Step(OLD, key))
                if verdict is Verdict.SWAP:
                    self.graph.then(Step(ASIDE, key), Step(MAKE, key))

    def _wait_for_places(self) -> None:
        """Let what takes a name wait until it is free."""
        leaving: dict[str, list[Step]] = {}
        for key, verdict in self.sides.verdicts.items():
            if verdict in DROPPED:
                step = Step(ASIDE, key) if key in self._aside else self.dropping(key)
                for place in occupies(self.sides.old[key]):
                    leaving.setdefault(place, []).append(step)
        for key, verdict in self.sides.verdicts.items():
            if verdict in MADE:
                for place in occupies(self.sides.new[key]):
                    for step in leaving.get(place, []):
                        self.graph.then(step, self.making(key))

    def _wait_for_parents(self) -> None:
        """Let a partition wait for its parent's columns, and for the partitions that leave."""
        for table in self.sides.after.of(Table):
            parents = {table.partition_of, *table.inherits} - {None}
            if self.verdict(table.key) not in MADE:
                parents = set()
            for parent in parents:
                for unit in (*self.sides.before.columns(str(parent)), *self.sides.after.columns(str(parent))):
                    self._child_waits(unit, table)
                for sibling in self.sides.before.children.get(str(parent), []):
                    if self.verdict(f"table {sibling}") in DROPPED:
                        self.graph.then(self.dropping(f"table {sibling}"), Step(MAKE, table.key))
        for column in self.sides.before.of(Column):
            if column.inherited and self._leaves(column.key):
                for parent_key in self._parents(column, before=True):
                    over = self._over(parent_key)
                    if over is not None:
                        self.graph.then(self.dropping(column.key), over)
        for column in self.sides.after.of(Column):
            if column.inherited and self.verdict(column.key) is Verdict.ALTER:
                for parent_key in self._parents(column, before=False):
                    before = self.ready(parent_key)
                    if before is not None:
                        self.graph.then(before, Step(ALTER, column.key))

    def _wait_for_parents_indexes(self) -> None:
        """Let a partition's own index wait, or Postgres takes it for a part of its parent's."""
        made = [
            value for key, value in self.sides.new.items() if self.verdict(key) in MADE and index_shape(value)
        ]
        for value in made:
            assert isinstance(value, Part)
            for child in descendants(value.table, self.sides.after):
                for own in self.sides.after.parts(child):
                    if (
                        index_shape(own) is not None
                        and self.verdict(own.key) in MADE
                        and own.key in self.sides.new
                    ):
                        self.graph.then(self.making(value.key), self.making(own.key))

    def _child_waits(self, column: Column, table: Table) -> None:
        for key in (column.key, f"default {column.name}"):
            if self.verdict(key) in DROPPED:
                self.graph.then(self.dropping(key), Step(MAKE, table.key))
            step = self.ready(key) if key in self.sides.new else None
            if step is not None:
                self.graph.then(step, Step(MAKE, table.key))


def ordered(sides: Sides) -> tuple[Plan, list[Step], list[str]]:
    """Order the steps; where they wait for each other, do in two what one statement would do."""
    late: set[str] = set()
    alone: set[str] = set()
    while True:
        plan = Plan(sides, late, alone)
        steps, stuck = plan.graph.ordered(plan.rank)
        if not stuck:
            return plan, steps, []
        more_late = {f"default {c.name}" for c in _columns_made(sides, stuck)} & sides.new.keys() - late
        more_alone = set(_parts_dropped(sides, stuck)) - alone
        if not more_late and not more_alone:
            if rebuild_too(sides, _replaced(sides, stuck)):
                continue
            return _forced(plan)
        late |= more_late
        alone |= more_alone


def _columns_made(sides: Sides, stuck: set[Step]) -> Iterator[Column]:
    for step in stuck:
        if step.does == MAKE:
            value = sides.new[step.key]
            if isinstance(value, Table):
                yield from sides.after.columns(value.name)
            if isinstance(value, Column):
                yield value


def _parts_dropped(sides: Sides, stuck: set[Step]) -> Iterator[str]:
    for step in stuck:
        value = sides.old.get(step.key)
        if step.does == DROP and isinstance(value, Table | View):
            yield from (part.key for part in sides.before.parts(value.name) if not isinstance(part, Column))
            yield from (
                f"default {column.name}" for column in sides.before.columns(value.name) if column.default
            )


def _replaced(sides: Sides, stuck: set[Step]) -> list[str]:
    """Name what is replaced in its place and could be dropped first instead."""
    found = [step.key for step in stuck if step.does == ALTER]
    return [key for key in found if sides.old[key].kind in REPLACED]


def _forced(plan: Plan) -> tuple[Plan, list[Step], list[str]]:
    notes: list[str] = []
    while True:
        steps, stuck = plan.graph.ordered(plan.rank)
        if not stuck:
            return plan, steps, notes
        first = min(stuck, key=plan.rank)
        notes.append(f"{first.key} and what it needs need each other: its place in the order is a guess.")
        plan.graph.cut(first)
