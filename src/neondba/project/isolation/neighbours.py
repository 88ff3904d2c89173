"""What a verdict owes to its neighbours: other statements on the same table."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from neondba.project.isolation.entrances import Door
from neondba.project.isolation.judged import Binding
from neondba.project.isolation.judging import STRANGERS, Fault, Verdict, is_open_to_all


def mark_twins(verdicts: Iterable[Verdict]) -> None:
    """Take as open what strangers reach, where most neighbours ask who is calling."""
    by_model: dict[tuple[str, bool], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.door.route is not None and verdict.owned.private and verdict.owned.direct:
            by_model[verdict.model.qualified, verdict.door.is_reading].append(verdict)
    for several in by_model.values():
        known = {v.door: v for v in several if _asks(v.door)}
        strange = {v.door: v for v in several if v.judged.why == STRANGERS and not _is_meant(v.door)}
        if not known or len(strange) > len(known):
            continue
        neighbour = next(iter(known))
        for verdict in strange.values():
            why = f"nobody is asked who they are here; {neighbour.function.name}() asks on the same table"
            verdict.judged = replace(verdict.judged, binding=Binding.OPEN, why=why)
            verdict.fault, verdict.neighbour = Fault.TWIN, neighbour


def mark_people(verdicts: Iterable[Verdict]) -> None:
    """Take rows as people, whom others may see, where a user has one row and some rows have no user."""
    singles: dict[str, bool] = {}
    for verdict in verdicts:
        if (
            verdict.judged.binding is Binding.BOUND
            and verdict.query.kind == "select"
            and verdict.owned.optional
        ):
            by_owner = any(c.column in verdict.owned.columns for c in verdict.query.conditions)
            if by_owner:
                name = verdict.model.qualified
                singles[name] = singles.get(name, True) and verdict.query.single
    for verdict in verdicts:
        changes = verdict.query.changed or verdict.query.kind in ("update", "delete")
        if (
            verdict.fault in (Fault.BY_ID, Fault.LIST)
            and singles.get(verdict.model.qualified)
            and not changes
        ):
            why = f"a user has one {verdict.model.name}, and some belong to nobody: they stand for people"
            verdict.judged = replace(verdict.judged, binding=Binding.PUBLIC, why=why)
            verdict.fault = Fault.NONE


USER = re.compile(r"user|owner", re.IGNORECASE)
COMMON = 4
"""Doors to a table from which on its being open everywhere is one decision."""


def weigh_tables(verdicts: Iterable[Verdict]) -> None:
    """Tell tables that the program keeps apart by owner from those it never does."""
    by_model: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_model[verdict.model.qualified].append(verdict)
    for several in by_model.values():
        if any(_keeps_apart(v) for v in several):
            continue
        opened = [v for v in several if v.judged.binding is Binding.OPEN]
        doors = len({id(v.door) for v in opened})
        for verdict in opened:
            shared = not verdict.owned.direct or not USER.search(verdict.owned.chain)
            if verdict.owned.weak or (shared and doors >= COMMON):
                why = f"nothing in the project holds {verdict.owned.chain} against a caller"
                verdict.judged = replace(verdict.judged, binding=Binding.PUBLIC, why=why)
                verdict.fault = Fault.NONE
            elif doors >= COMMON:
                verdict.everywhere = doors


def _keeps_apart(verdict: Verdict) -> bool:
    """Tell whether a statement on the table is bound, for a weak column by that column itself."""
    if verdict.query.kind == "insert" or verdict.judged.binding not in (Binding.BOUND, Binding.BOUND_LATER):
        return False
    if not verdict.owned.weak:
        return True
    return verdict.owned.direct and verdict.judged.why.partition(" ")[0] in verdict.owned.columns


def _asks(door: Door) -> bool:
    return door.authenticated and door.route is not None and not door.route.is_for_staff


def _is_meant(door: Door) -> bool:
    route = door.route
    if route is None or route.is_for_staff or any(d.authenticates for d in route.dependencies):
        return True
    return is_open_to_all(door)
