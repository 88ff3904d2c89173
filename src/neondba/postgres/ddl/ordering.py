"""Put the steps of a plan into an order, also where some wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from neondba.postgres.ddl.plan import ALTER, DROP, MAKE, Plan, Step
from neondba.postgres.ddl.values import Column, Table, View
from neondba.postgres.ddl.verdicts import Sides, rebuild_too
from neondba.postgres.ddl.waits import tie

REPLACED: Final = ("view", "function", "policy", "default", "owned by", "replica identity")
"""Kinds that can be dropped and made anew where altering them comes too early or too late."""


def ordered(sides: Sides) -> tuple[Plan, list[Step], list[str]]:
    """Order the steps; where they wait for each other, do in two what one statement would do."""
    late: set[str] = set()
    alone: set[str] = set()
    while True:
        plan = Plan(sides, late, alone)
        tie(plan)
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
    found = [step.key for step in sorted(stuck) if step.does == ALTER]
    return [key for key in found if sides.old[key].kind in REPLACED]


def _forced(plan: Plan) -> tuple[Plan, list[Step], list[str]]:
    notes: list[str] = []
    while True:
        steps, stuck = plan.graph.ordered(plan.rank)
        if not stuck:
            return plan, steps, notes
        first = min(stuck, key=lambda step: (plan.rank(step), step))
        notes.append(f"{first.key} and what it needs need each other: its place in the order is a guess.")
        plan.graph.cut(first)
