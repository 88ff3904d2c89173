"""What a handler is given, what it may refuse, and the table of routes it joins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, TypeVar

from neondba.local.control.plane import Plane
from neondba.local.control.worker import stamp
from neondba.local.requirement import SPEC, Requirement
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, EndpointRow, OperationRow, ProjectRow
from neondba.neon.limits import SMALLEST, Size

MADE_LIMIT: Final = 40.0
"""Seconds; the official command line gives up after 60."""
BUSY: Final = "project already has running conflicting operations, scheduling of new ones is prohibited"


class Refusal(Exception):
    """An answer that is not the one asked for, in Neon's words."""

    def __init__(self, status: int, message: str, code: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.more = more
        """Further fields of the answer, where the document has some."""


@dataclass(frozen=True)
class Call:
    """One request."""

    plane: Plane
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    organization_key: bool = False
    """Whether a key of the organization let it in, one that was created here."""

    @property
    def now(self) -> str:
        """The moment, as the API writes it."""
        return stamp(self.plane.clock.now())

    def part(self, name: str) -> dict[str, Any]:
        """Give an object of the body; an absent one is empty."""
        return inner(self.body, name)

    def number(self, name: str, default: int, most: int) -> int:
        """Give a number of the query."""
        try:
            value = int(self.query.get(name, default))
        except ValueError:
            raise Refusal(400, f"parameter {name} must be a number") from None
        if not 1 <= value <= most:
            raise Refusal(400, f"parameter {name} must be between 1 and {most}")
        return value

    @contextmanager
    def locked(self) -> Iterator[Rows]:
        """Open a change of a project that has no operation in flight.

        Raises:
            Refusal: it still has one after a short wait.
        """
        project_id = self.path["project_id"]
        deadline = monotonic() + self.plane.lock_wait
        while True:
            self.plane.worker.wait(deadline - monotonic(), project_id=project_id)
            with self.plane.state.change() as rows:
                self.project(rows)
                if not rows.unfinished(project_id=project_id):
                    yield rows
                    break
            if monotonic() >= deadline:  # Else another request was quicker.
                raise Refusal(423, BUSY)
        self.plane.worker.kick(project_id)

    def made(self, operation: OperationRow) -> None:
        """Wait for the operation that makes what this call answers with.

        A branch is a moment of its parent, and that moment must not be after the answer. What takes
        longer than a client waits is answered unfinished.

        Raises:
            Refusal: it failed, and nothing is left of it.
        """
        self.plane.worker.kick(operation.project_id)
        self.plane.worker.wait(MADE_LIMIT, id=operation.id)
        with self.plane.state.read() as rows:
            done = rows.get(OperationRow, operation.number)
        if done is not None and done.status == "failed":
            full = "No space left" in (done.error or "")
            raise Refusal(507 if full else 500, done.error or "", "INSUFFICIENT_STORAGE" if full else "")

    def project(self, rows: Rows) -> ProjectRow:
        """Give the project of the path."""
        found = rows.get(ProjectRow, self.path["project_id"])
        if found is None or found.deleting:
            raise Refusal(404, "project not found")
        return found

    def branch(self, rows: Rows, branch_id: str | None = None) -> BranchRow:
        """Give the branch of the path, or of this id."""
        self.project(rows)
        found = rows.get(BranchRow, branch_id or self.path["branch_id"])
        if found is None or found.deleting or found.project_id != self.path["project_id"]:
            raise Refusal(404, "branch not found")
        return found

    def default_branch(self, rows: Rows) -> BranchRow:
        """Give the default branch of the path's project."""
        project = self.project(rows)
        return next(row for row in rows.all(BranchRow, project_id=project.id) if row.is_default)

    def endpoint(self, rows: Rows) -> EndpointRow:
        """Give the endpoint of the path."""
        self.project(rows)
        found = rows.get(EndpointRow, self.path["endpoint_id"])
        if found is None or found.deleting or found.project_id != self.path["project_id"]:
            raise Refusal(404, "endpoint not found")
        return found


def inner(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give an object inside another; an absent one is empty."""
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, f"{name} must be an object")
    return value


def seconds(given: Mapping[str, Any], name: str, default: int) -> int:
    """Give a whole number inside an object."""
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(400, f"{name} must be a whole number")
    return value


def size(given: Mapping[str, Any], name: str, default: float) -> float:
    """Give a compute size inside an object."""
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.25 <= value <= 56:
        raise Refusal(400, f"{name} must be between 0.25 and 56")
    return float(value)


def checked_sizes(options: Mapping[str, Any]) -> None:
    """Refuse sizes that Neon does not have, and suspend timeouts out of bounds."""
    low = size(options, "autoscaling_limit_min_cu", SMALLEST)
    high = size(options, "autoscaling_limit_max_cu", low)
    if "autoscaling_limit_min_cu" not in options:
        low = high
    if said := Size(low, high).fault():
        raise Refusal(400, said)
    timeout = seconds(options, "suspend_timeout_seconds", 0)
    if timeout not in (0, -1) and not 60 <= timeout <= 604_800:
        raise Refusal(400, "suspend_timeout_seconds must be 0, -1 or between 60 and 604800")


Handler = Callable[[Call], dict[str, Any] | list[Any] | None]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Route:
    """An operation of the API and who answers it."""

    method: str
    path: str
    operation_id: str
    handler: Handler
    status: int
    requirement: Requirement
    checked: bool = True
    """False for what is refused in any case."""


ROUTES: list[Route] = []


def answers(
    method: str,
    path: str,
    operation_id: str,
    status: int = 200,
    *,
    says: str,
    differs: str | None = None,
    source: str = SPEC,
) -> Callable[[H], H]:
    """Join the table of routes; a handler that gives None answers 204.

    `says` and `differs` are this operation's row of the reference page.
    """
    row = Requirement(operation_id, says, differs, source)

    def join(handler: H) -> H:
        ROUTES.append(Route(method, path, operation_id, handler, status, row))
        return handler

    return join
