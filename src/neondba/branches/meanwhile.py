"""Neon's refusals in the user's names: a branch that went meanwhile, a point out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.branches.point import Point, outside, speaks_of_history
from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem, Problem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project

_MAY_BE_GONE: Final = (400, 404, 409, 410, 422)


@contextmanager
def still_there(
    client: NeonClient,
    ctx: Context,
    project: Project,
    *branches: Branch,
    point: Point | None = None,
) -> Iterator[None]:
    """Say which branch is gone when a change of it is refused for that.

    Raises:
        NotFoundProblem: a branch was deleted or has expired since the plan was made.
        ArgumentProblem: the point is outside the history of the last branch named.
        Problem: whatever else was refused.
    """
    try:
        yield
    except Problem as problem:
        if problem.facts.get("status") not in _MAY_BE_GONE:
            raise
        there = {each.id for each in client.branches(project.id)}
        for branch in branches:
            if branch.id not in there:
                raise _gone(branch, project, ctx) from None
        if point is not None and speaks_of_history(problem):
            raise outside(point, project, branches[-1], ctx) from None
        raise


def _gone(branch: Branch, project: Project, ctx: Context) -> NotFoundProblem:
    expired = branch.expires_at is not None and branch.expires_at <= ctx.clock.now()
    why = f"it expired at {branch.expires_at:%Y-%m-%d %H:%M} UTC" if expired else "somebody deleted it"
    return NotFoundProblem(
        "branch-gone",
        f"Branch {branch.name} of project {project.name} is gone: {why} meanwhile.",
        hint=f"See what is there: neondba branch list --project {quote(project.name)}",
        branch=branch.name,
    )
