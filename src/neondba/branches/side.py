"""A branch, now or at a point of its history, as one side of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from neondba.branches.point import Point, check_window, outside
from neondba.core.context import Context
from neondba.core.problem import Problem, RemoteProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import parse
from neondba.neon.throwaway import Wanted, reached, throwaway_branch

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project
    from neondba.postgres.connect import Connection


@dataclass(frozen=True)
class Side:
    """What is looked at."""

    project: Project
    branch: Branch
    point: Point | None = None
    """Where in the branch's history; now, if absent."""
    database: str | None = None

    @property
    def spoken(self) -> str:
        """Name it for people."""
        return f"{self.branch.name} {self.point.spoken}" if self.point else self.branch.name


@contextmanager
def opened(client: NeonClient, ctx: Context, side: Side) -> Iterator[Connection]:
    """Open a session of the database's owner on a branch as it is, or as it was.

    A branch without compute is looked at through a throw-away branch of it.

    Raises:
        ArgumentProblem: the point is outside the branch's history.
        NotFoundProblem: the branch has no such database.
    """
    if side.point is not None:
        check_window(side.point, side.project, side.branch, ctx)
    if any(each.branch_id == side.branch.id for each in client.endpoints(side.project.id)):
        url = reached(client, side.project.id, side.branch, side.database).direct
        if side.point is not None:
            url = _in_the_past(url, side.branch, side.point)
        with _session(url, side, ctx) as session:
            yield session
        return
    wanted = Wanted(parent=side.branch.id)
    if side.point is not None:
        wanted = replace(wanted, lsn=side.point.lsn, timestamp=side.point.timestamp)
    with (
        throwaway_branch(
            client,
            ctx,
            project=side.project.id,
            purpose="diff",
            database=side.database,
            wanted=wanted,
        ) as branch,
        _session(branch.direct, side, ctx) as session,
    ):
        yield session


def _in_the_past(url: Secret, branch: Branch, point: Point) -> Secret:
    """Lead a connection string to a point of a branch's history, as Neon's own tools do."""
    from neondba.neon.caller import exactly

    moment = f"neon_lsn:{point.lsn}" if point.lsn else f"neon_timestamp:{exactly(point.timestamp)}"
    given = parse(url)
    options = given.parameter("options") or ""
    if given.endpoint_id is not None and f"={given.endpoint_id}" in options:
        options = options.replace(f"={given.endpoint_id}", f"={branch.id}", 1)
        host = given.host
    else:
        _, dot, rest = given.host.partition(".")
        host = branch.id + dot + rest
    others = tuple((name, value) for name, value in given.parameters if name != "options")
    asked = ("options", f"{options} {moment}".strip())
    return replace(given, host=host, parameters=(*others, asked)).render()


@contextmanager
def _session(url: Secret, side: Side, ctx: Context) -> Iterator[Connection]:
    from neondba.postgres.connect import connect

    try:
        session = connect(url)
    except RemoteProblem as problem:
        if side.point is not None and _speaks_of_the_point(problem):
            raise outside(side.point, side.project, side.branch, ctx) from None
        raise
    with session:
        yield session


def _speaks_of_the_point(problem: Problem) -> bool:
    said = str(problem.facts.get("said", "")).lower()
    return any(word in said for word in ("lsn", "timestamp", "history", "neon_"))
