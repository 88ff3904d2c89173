"""Which steps must wait for which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from neondba.postgres.ddl.first import Verdict
from neondba.postgres.ddl.plan import ALTER, ASIDE, DROP, DROPPED, LOOSEN, MADE, MAKE, OLD, Plan, Step
from neondba.postgres.ddl.units import needs_free, occupies
from neondba.postgres.ddl.values import Column, Part, Table
from neondba.postgres.ddl.verdicts import descendants, index_shape

SETTINGS: Final = ("table ", "schema ")
"""Kinds of which only options, rights and comments are altered: nothing waits for those."""


def tie(plan: Plan) -> None:
    """Let every step of a plan wait for what must come before it."""
    _needs(plan)
    _dependents(plan)
    _both_halves(plan)
    _places(plan)
    _new_children(plan)
    _children_of_columns(plan)
    _own_indexes(plan)


def _needs(plan: Plan) -> None:
    """Let a unit wait for what it needs in the end."""
    for key, needed in plan.sides.new_needs.items():
        step = plan.ready(key)
        for each in needed:
            before = plan.ready(each)
            if before is None or step is None or (before.does == ALTER and each.startswith(SETTINGS)):
                continue
            plan.graph.then(before, step)


def _dependents(plan: Plan) -> None:
    """Let a unit that goes or changes wait for what needs it as it was."""
    for key, needed in plan.sides.old_needs.items():
        over = plan.over(key)
        if over is None:
            continue
        for each in needed:
            if each in plan.aside or plan.leaves(each):
                plan.graph.then(over, plan.dropping(each))
            if over.does == DROP:
                plan.graph.then(over, Step(ASIDE, each))
                plan.graph.then(over, Step(LOOSEN, each))
                if not each.startswith(SETTINGS):
                    plan.graph.then(over, Step(ALTER, each))


def _both_halves(plan: Plan) -> None:
    """Let the second half of what takes two steps wait for the first."""
    for key, verdict in plan.sides.verdicts.items():
        if verdict in MADE and plan.leaves(key):
            plan.graph.then(plan.dropping(key), plan.making(key))
        plan.graph.then(Step(LOOSEN, key), Step(ALTER, key))
        plan.graph.then(Step(ASIDE, key), Step(OLD, key))
        if verdict is Verdict.SWAP:
            plan.graph.then(Step(ASIDE, key), Step(MAKE, key))


def _places(plan: Plan) -> None:
    """Let what takes a name wait until it is free."""
    leaving: dict[str, list[Step]] = {}
    for key, verdict in plan.sides.verdicts.items():
        if verdict in DROPPED:
            step = Step(ASIDE, key) if key in plan.aside else plan.dropping(key)
            for place in occupies(plan.sides.old[key]):
                leaving.setdefault(place, []).append(step)
    for key, verdict in plan.sides.verdicts.items():
        if verdict in MADE:
            for place in needs_free(plan.sides.new[key]):
                for step in leaving.get(place, []):
                    plan.graph.then(step, plan.making(key))


def _new_children(plan: Plan) -> None:
    """Let a new partition wait for its parent's columns, and for the partitions that leave."""
    before, after = plan.sides.before, plan.sides.after
    for table in after.of(Table):
        if plan.verdict(table.key) not in MADE:
            continue
        for parent in (table.partition_of, *table.inherits):
            if parent is None:
                continue
            for column in (*before.columns(parent), *after.columns(parent)):
                for step in _column_steps(plan, column):
                    plan.graph.then(step, Step(MAKE, table.key))
            for sibling in before.children.get(parent, []):
                if plan.verdict(f"table {sibling}") in DROPPED:
                    plan.graph.then(plan.dropping(f"table {sibling}"), Step(MAKE, table.key))


def _column_steps(plan: Plan, column: Column) -> Iterator[Step]:
    for key in (column.key, f"default {column.name}"):
        if plan.verdict(key) in DROPPED:
            yield plan.dropping(key)
        step = plan.ready(key) if key in plan.sides.new else None
        if step is not None:
            yield step


def _children_of_columns(plan: Plan) -> None:
    """Let a parent's column wait for children that go, and those that stay for the parent's column."""
    for column in plan.sides.before.of(Column):
        if column.inherited and plan.leaves(column.key):
            for parent in plan.parents(column, before=True):
                over = plan.over(parent)
                if over is not None:
                    plan.graph.then(plan.dropping(column.key), over)
    for column in plan.sides.after.of(Column):
        if column.inherited and plan.verdict(column.key) is Verdict.ALTER:
            for parent in plan.parents(column, before=False):
                ready = plan.ready(parent)
                if ready is not None:
                    plan.graph.then(ready, Step(ALTER, column.key))


def _own_indexes(plan: Plan) -> None:
    """Let a partition's own index wait, or Postgres takes it for a part of its parent's."""
    for key, value in plan.sides.new.items():
        if plan.verdict(key) not in MADE or index_shape(value) is None:
            continue
        assert isinstance(value, Part)
        for child in descendants(value.table, plan.sides.after):
            for own in plan.sides.after.parts(child):
                made = own.key in plan.sides.new and plan.verdict(own.key) in MADE
                if made and index_shape(own) is not None:
                    plan.graph.then(plan.making(key), plan.making(own.key))
