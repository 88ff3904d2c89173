"""A control plane in this process, and a clock that tests move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from neondba.core.context import Clock
from neondba.local.addresses import Addresses
from neondba.local.api.call import Call
from neondba.local.api.routes import routes
from neondba.local.contract.checks import answer_fault
from neondba.local.control.plane import Plane
from neondba.local.state.tables import BranchRow, EndpointRow


class MovedClock(Clock):
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Give the moved moment."""
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        """Give seconds that move along."""
        return super().monotonic() + self.ahead.total_seconds()


class Inside:
    """A control plane in this process, asked without HTTP."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovedClock()
        self.folder = folder
        self.open()

    def open(self) -> None:
        """Begin, as a server does."""
        self.plane = Plane(self.folder, self.clock, Addresses(5432))
        self._let_visited_computes_be()
        self.plane.begin()

    def _let_visited_computes_be(self) -> None:
        """Keep computes awake that have no endpoint and that a test visits past the proxy.

        The sweeper lets them sleep with its next round: the proxy leads nobody to them.
        """
        self.visited: set[str] = set()
        sweeper = self.plane.sweeper
        is_idle = sweeper._idle
        sweeper._idle = lambda name, endpoint: name not in self.visited and is_idle(name, endpoint)  # type: ignore[method-assign]

    def call(self, name: str, /, body: Any = None, query: Any = None, **path: str) -> Any:
        """Answer one operation of the API, as the published document foresees it."""
        route = next(each for each in routes() if each.operation_id == name)
        answer = route.handler(Call(self.plane, path, query or {}, body or {}))
        status = 204 if answer is None else route.status
        assert answer_fault(name, status, answer) is None, answer_fault(name, status, answer)
        return answer

    def settled(self, project_id: str) -> None:
        """Wait until the project has no operation in flight."""
        assert self.plane.worker.wait(60, project_id=project_id)

    def project(self, **first: Any) -> dict[str, Any]:
        """Create a project and wait for it."""
        made: dict[str, Any] = self.call("createProject", {"project": {"name": "shop", "branch": first}})
        self.settled(made["project"]["id"])
        return made

    def branch(self, project_id: str, name: str, *, compute: bool = True, **more: Any) -> dict[str, Any]:
        """Create a branch and wait for it."""
        endpoints = [{"type": "read_write"}] if compute else []
        body = {"branch": {"name": name, **more}, "endpoints": endpoints}
        made: dict[str, Any] = self.call("createProjectBranch", body, project_id=project_id)
        self.settled(project_id)
        return made

    def sql(self, branch_id: str, role: str = "neondb_owner") -> psycopg.Connection[Any]:
        """Connect to a branch past the proxy."""
        timeline = self.timeline(branch_id)
        with self.plane.state.read() as rows:
            if not rows.all(EndpointRow, branch_id=branch_id):
                self.visited.add(timeline)
        compute = self.plane.computes.start(timeline)
        return psycopg.connect(host=str(compute.place.sockets), user=role, dbname="neondb", autocommit=True)

    def timeline(self, branch_id: str) -> str:
        """Give the name of a branch's directory and compute."""
        with self.plane.state.read() as rows:
            return rows.get(BranchRow, branch_id).timeline_id
