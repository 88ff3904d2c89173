"""The operation that removes branches nobody needs any more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.branches.sweep_results import Sweep
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.local import platform
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.models import Project

Named = Annotated[
    tuple[str, ...],
    Field(description="Branches to sweep beside those found, by name or id: for those made by hand."),
]
Idle = Annotated[
    Duration | None,
    Field(description="Left over is whose compute has not run for so long; else the policy's, or 14d."),
]
Recent = Annotated[
    Duration | None, Field(description="Keep what was made or used within this time; else 24h.")
]
OpenPullRequests = Annotated[
    tuple[str, ...] | None,
    Field(description='Open pull requests: numbers as "12,15", a git branch, or none.'),
]


@operation(
    "branch.sweep",
    effect=Effect.DESTROY,
    examples=(
        Example(),
        Example(
            {"names": ["leftover"], "idle": "30d"},
            before=(("branch.create", {"name": "leftover", "no_compute": True}),),
        ),
        Example({"names": ["no-such-branch"]}, problem="branch-not-found"),
        Example({"open_pr": [""]}, problem="open-pr-empty"),
    ),
)
def branch_sweep(
    ctx: Context,
    names: Named = (),
    *,
    idle: Idle = None,
    recent: Recent = None,
    open_pr: OpenPullRequests = None,
) -> Sweep:
    """Delete branches that are left over, each with its reason and its price.

    Looked at are previews, throw-aways, and branches that a pattern of the project's policy fits: their
    git branch is gone, their pull request closed, they are idle, have expired, or live longer than the
    policy lets them. Kept are default, protected and checked-out branches, those with branches of their
    own, those in use, and those of open pull requests. `--dry-run` is the rehearsal.

    Raises:
        Problem: a named branch does not exist, or the policy or the list cannot be understood.
    """
    from neondba.branches.git_branches import git_branches
    from neondba.branches.open_pulls import from_github, open_pulls
    from neondba.branches.policy import policy_of
    from neondba.branches.sweep import RECENT, World, judged
    from neondba.branches.sweeping import swept

    pulls, policy = open_pulls(open_pr, from_github(os.environ)), policy_of(ctx.folder)
    with platform.client(ctx) as client:
        project = client.project(project_for(client, ctx).id)
        world = World(
            client.branches(project.id),
            client.endpoints(project.id),
            policy,
            git_branches(ctx.folder),
            pulls,
            ctx.clock.now(),
            named=frozenset(client.find_branch(project, name).id for name in names),
            checked_out=_checked_out(ctx, project),
            idle=idle,
            recent=recent or RECENT,
        )
        return swept(client, ctx, project, world, judged(world))


def _checked_out(ctx: Context, project: Project) -> str | None:
    from neondba.core.context_file import nearest

    noted = nearest(ctx.folder)
    return noted.branch if noted and noted.project == project.id else None
