"""What the proxy asks, answered from the state and the computes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Final

from neondba.core.context import Clock
from neondba.core.problem import ArgumentProblem, NotFoundProblem, Problem, RemoteProblem
from neondba.local.computes.manager import Computes
from neondba.local.computes.process import Compute
from neondba.local.control import ip_allow, naps, roles, time_travel
from neondba.local.control.names import compute_name
from neondba.local.control.worker import Worker, stamp
from neondba.local.routing import Directory, Moment, Route
from neondba.local.state.store import State
from neondba.local.state.tables import BranchRow, EndpointRow, ProjectRow
from neondba.local.storage.point import Point

READY_LIMIT: Final = 120.0


class LocalDirectory(Directory):
    """Endpoints by id, and who is connected to them."""

    def __init__(self, state: State, computes: Computes, worker: Worker, clock: Clock) -> None:
        self._state = state
        self._computes = computes
        self._worker = worker
        self._clock = clock
        self._guard = threading.Lock()
        self._open: dict[str, int] = {}
        self._last: dict[str, float] = {}
        self.meter: Callable[[str, int], None] = lambda _branch_id, _sent: None
        self.admit: Callable[[str], None] = lambda _project_id: None
        self.past: Callable[[str, Point], Compute] = _no_past
        self.contact()

    def contact(self) -> None:
        """Note that somebody asked for something."""
        self._last_contact = self._clock.monotonic()

    def untouched_for(self) -> float:
        """Give the seconds since anybody asked for anything."""
        return self._clock.monotonic() - self._last_contact

    def verifier(self, endpoint_id: str, role: str) -> str | None:
        """Give a role's verifier as PostgreSQL holds it now; wakes the compute.

        It may take as long as a start does: call it through `asyncio.to_thread`.
        """
        branch = self._branch(endpoint_id)
        compute = self._wake(endpoint_id) if branch is None else self._computes.start(self._ready(branch.id))
        return roles.verifier(compute, role)

    def knows(self, endpoint_id: str) -> bool:
        """Tell whether an endpoint of this id exists; connections to the past may name a branch."""
        return self._endpoint(endpoint_id) is not None or self._branch(endpoint_id) is not None

    def refuses(self, endpoint_id: str, address: str) -> str | None:
        """Give the sentence for an address that the project does not let in."""
        with self._state.read() as rows:
            endpoint = rows.get(EndpointRow, endpoint_id)
            branch = rows.get(BranchRow, endpoint.branch_id if endpoint else endpoint_id)
            project = rows.get(ProjectRow, branch.project_id) if branch else None
        if branch is None or project is None:
            return None
        return ip_allow.refusal(json.loads(project.settings), address, protected=branch.protected)

    async def wake(self, endpoint_id: str, moment: Moment | None = None) -> Route:
        """Start the endpoint's compute if it sleeps, and say where it listens."""
        if moment is not None:
            compute = await asyncio.to_thread(self._wake_past, endpoint_id, moment)
        else:
            compute = await asyncio.to_thread(self._wake, endpoint_id)
        return Route(compute.socket, endpoint_id)

    def opened(self, endpoint_id: str) -> None:
        """Note that a client connection began: the compute stays awake."""
        with self._guard:
            self._open[endpoint_id] = self._open.get(endpoint_id, 0) + 1
        self._touch(endpoint_id)

    def closed(self, endpoint_id: str) -> None:
        """Note that a client connection ended."""
        with self._guard:
            self._open[endpoint_id] = max(0, self._open.get(endpoint_id, 0) - 1)
        self._touch(endpoint_id)

    def transferred(self, endpoint_id: str, to_client: int, from_client: int) -> None:  # noqa: ARG002 - inward is free
        """Count bytes for the endpoint's branch."""
        endpoint = self._endpoint(endpoint_id)
        if endpoint is not None:
            self.meter(endpoint.branch_id, to_client)

    def connected(self) -> int:
        """Count the client connections."""
        return sum(self._open.values())

    def connections(self, endpoint_id: str) -> int:
        """Count an endpoint's client connections."""
        return self._open.get(endpoint_id, 0)

    def quiet_for(self, endpoint_id: str) -> float:
        """Give the seconds since a client came to or left this endpoint."""
        with self._guard:
            now = self._clock.monotonic()
            return now - self._last.setdefault(endpoint_id, now)

    def _touch(self, endpoint_id: str) -> None:
        with self._guard:
            self._last[endpoint_id] = self._last_contact = self._clock.monotonic()

    def _endpoint(self, endpoint_id: str) -> EndpointRow | None:
        with self._state.read() as rows:
            found = rows.get(EndpointRow, endpoint_id)
            return None if found is None or found.deleting else found

    def _branch(self, branch_id: str) -> BranchRow | None:
        with self._state.read() as rows:
            found = rows.get(BranchRow, branch_id)
            project = rows.get(ProjectRow, found.project_id) if found is not None else None
            gone = found is None or found.deleting or project is None or project.deleting
            return None if gone else found

    def _name(self, endpoint_id: str) -> str | None:
        with self._state.read() as rows:
            endpoint = rows.get(EndpointRow, endpoint_id)
            return compute_name(rows, endpoint) if endpoint is not None else None

    def _wake(self, endpoint_id: str) -> Compute:
        """Start an endpoint's compute; again if a restore puts other data behind it meanwhile."""
        while True:
            before = self._name(endpoint_id)
            try:
                compute = self._started(endpoint_id)
            except Problem:
                if self._name(endpoint_id) == before:
                    raise
                continue
            if self._name(endpoint_id) == before:
                self._announce(compute, endpoint_id)
                return compute

    def _started(self, endpoint_id: str) -> Compute:
        endpoint = self._endpoint(endpoint_id)
        if endpoint is None:
            raise _unknown(endpoint_id)
        naps.refuse_disabled(endpoint)
        self.admit(endpoint.project_id)
        self._touch(endpoint_id)
        self._ready(endpoint.branch_id)
        with self._state.read() as rows:
            name = compute_name(rows, endpoint)
            if self._computes.running(name) is None:
                naps.refuse_over_limit(rows, self._computes, endpoint)
        return self._computes.start(name)

    def _announce(self, compute: Compute, endpoint_id: str) -> None:
        """Note once that a connection woke a compute."""
        with self._guard:
            told, compute.announced = compute.announced, True
        if not told:
            with self._state.change() as rows:
                naps.awakened(rows, endpoint_id, stamp(self._clock.now()))

    def _wake_past(self, label: str, moment: Moment) -> Compute:
        at = time_travel.point(moment)
        endpoint = self._endpoint(label)
        branch = self._branch(endpoint.branch_id if endpoint else label)
        if branch is None:
            raise _unknown(label)
        self.admit(branch.project_id)
        self._touch(label)
        return self.past(self._ready(branch.id), at)

    def _ready(self, branch_id: str) -> str:
        """Wait until a branch is there, and give its timeline."""
        if not self._worker.wait(READY_LIMIT, branch_id=branch_id):
            raise RemoteProblem("branch-not-ready", f"Branch {branch_id} is not ready yet.")
        with self._state.read() as rows:
            branch = rows.get(BranchRow, branch_id)
        if branch is None:
            raise NotFoundProblem("branch-not-found", f"Branch {branch_id} is gone.")
        return branch.timeline_id


def _no_past(_timeline_id: str, _at: Point) -> Compute:
    raise ArgumentProblem("point-not-available", "The past is not available here.")


def _unknown(label: str) -> NotFoundProblem:
    return NotFoundProblem(
        "endpoint-not-found",
        f"The requested endpoint could not be found: {label}.",
        hint="Ask for a new connection string: the branch may have been deleted.",
    )
