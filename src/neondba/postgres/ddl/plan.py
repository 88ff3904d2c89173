"""Which steps lead from one schema to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from neondba.postgres.ddl import values
from neondba.postgres.ddl.first import TYPES, Verdict
from neondba.postgres.ddl.order import Graph
from neondba.postgres.ddl.units import needs_free, occupies
from neondba.postgres.ddl.values import Column, Constraint, Part, Sequence, Table, Value
from neondba.postgres.ddl.verdicts import Sides, row_types

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
        self.aside = self._set_aside()
        self.loose = self._loosened()
        for key in sides.verdicts:
            for step in self._steps(key):
                self.graph.add(step)

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
            for place in needs_free(self.sides.new[key])
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

    def leaves(self, key: str) -> bool:
        """Tell whether a unit is dropped in one step."""
        verdict = self.verdict(key)
        return verdict in DROPPED or (verdict is Verdict.SWAP and self._is_range(key))

    def _steps(self, key: str) -> Iterator[Step]:
        verdict = self.verdict(key)
        if key in self.aside:
            yield Step(ASIDE, key)
            yield Step(OLD, key)
        elif self.leaves(key):
            yield self.dropping(key)
        if key in self.loose:
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
        return Step(OLD if key in self.aside else DROP, key)

    def _goes_with(self, value: Value) -> Iterator[str]:
        if isinstance(value, Part):
            other = getattr(value, "references", None)
            parted = value.table in self.sides.before.children
            crosses = (parted or other != value.table) and self.verdict(f"table {other}") in DROPPED
            if not crosses:
                yield f"table {value.table}"
                yield f"view {value.table}"
        if isinstance(value, Column) and value.inherited:
            yield from self.parents(value, before=True)
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
                yield from self.parents(value, before=False)
        if value.kind == "default" and value.key not in self.late:
            column = self.sides.new[f"column {value.name}"]
            assert isinstance(column, Column)
            if not column.inherited:
                yield column.key

    def parents(self, column: Column, *, before: bool) -> Iterator[str]:
        """Give the keys of the columns that a child's column stems from."""
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

    def over(self, key: str) -> Step | None:
        """Give the step after which a unit needs nothing of the old any more."""
        verdict = self.verdict(key)
        if key in self.aside or self.leaves(key):
            return self.dropping(key)
        if key in self.loose:
            return Step(LOOSEN, key)
        old = self.sides.old.get(key)
        if key in self.sides.retyped and isinstance(old, Column) and old.inherited:
            found = (
                self.over(parent) for parent in self.parents(old, before=True) if parent in self.sides.new
            )
            return next((each for each in found if each is not None), Step(ALTER, key))
        return Step(ALTER, key) if verdict is Verdict.ALTER else None
