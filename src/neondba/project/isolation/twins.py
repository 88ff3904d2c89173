"""Routes that let strangers in where their neighbours on the same table do not."""

from __future__ import annotations

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
        if verdict.door.route is not None and verdict.owned.private:
            by_model[verdict.model.qualified, verdict.door.is_reading].append(verdict)
    for several in by_model.values():
        known = {v.door: v for v in several if v.door.authenticated}
        strange = {v.door: v for v in several if v.judged.why == STRANGERS and not _is_meant(v.door)}
        if not known or len(strange) > len(known):
            continue
        neighbour = next(iter(known))
        for verdict in strange.values():
            why = f"nobody is asked who they are here; {neighbour.function.name}() asks on the same table"
            verdict.judged = replace(verdict.judged, binding=Binding.OPEN, why=why)
            verdict.fault, verdict.neighbour = Fault.TWIN, neighbour


def _is_meant(door: Door) -> bool:
    route = door.route
    if route is None or route.is_for_staff or any(d.authenticates for d in route.dependencies):
        return True
    return is_open_to_all(door)
