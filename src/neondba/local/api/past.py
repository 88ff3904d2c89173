"""Find the point of a parent's past that a request asks for, before anything is promised."""

from __future__ import annotations

from typing import Any

from neondba.core.problem import ArgumentProblem
from neondba.local.api.call import Call, Refusal
from neondba.local.storage.history import Located
from neondba.local.storage.point import Point


def located(call: Call, timeline_id: str, point: Point) -> Located | None:
    """Find a point of a timeline's past; None means now.

    Call it outside a change of the state: the timeline's compute may have to be asked.

    Raises:
        Refusal: it is outside the history window.
    """
    if point.now:
        return None
    call.plane.worker.wait(call.plane.lock_wait, project_id=call.path["project_id"])
    try:
        return call.plane.history.locate(timeline_id, point)
    except ArgumentProblem as problem:
        raise Refusal(400, problem.message) from None


def arguments(found: Located | None) -> dict[str, Any]:
    """Write a found point down for an operation: its place does not depend on when it is read."""
    return {"lsn": found.fork.lsn} if found is not None else {}
