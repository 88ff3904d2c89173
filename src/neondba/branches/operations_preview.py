"""Operations on previews: a branch for each pull request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.branches.arguments import Parent
from neondba.branches.preview_results import Preview, PreviewDeleted
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem
from neondba.local import platform
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.models import Branch

GitBranch = Annotated[
    str | None,
    Field(description="Git branch; the pull request's on GitHub, else the one checked out.", min_length=1),
]
PullRequestNumber = Annotated[
    int | None,
    Field(description="Number of the pull request; it becomes part of the name.", ge=1, le=9_999_999_999),
]


def _whose(ctx: Context, git_branch: str | None, number: int | None) -> tuple[str, int | None]:
    """Give git branch and number from what is said, what GitHub says, or what is checked out."""
    from neondba.branches.git_branches import git_branches
    from neondba.branches.open_pulls import from_github

    if git_branch is not None:
        return git_branch, number
    running_for = from_github(os.environ)
    if running_for is not None and number in (None, running_for.number):
        return running_for.head, running_for.number
    current = git_branches(ctx.folder).current
    if current is None:
        raise ArgumentProblem(
            "git-branch-needed",
            "It is not said whose preview is meant, and no git branch is checked out here.",
            hint="Name the git branch: neondba preview create feature/x",
        )
    return current, number


Lifetime = Annotated[
    Duration | None, Field(description="Delete it after this long from now; else the policy's, or 7d.")
]
SchemaOnly = Annotated[bool, Field(description="Copy the schema without the rows.")]
Anonymised = Annotated[bool, Field(description="Copy the rows with personal columns masked.")]
AnyDatabase = Annotated[
    str | None, Field(description="Database to connect to; neondb or the oldest if absent.")
]
EnvFile = Annotated[
    Path | None, Field(description="Write the addresses into this file, which only you may read.")
]
Github = Annotated[bool, Field(description="Hand the addresses to the workflow's next steps, masked.")]


@operation(
    "preview.create",
    effect=Effect.WRITE,
    examples=(
        Example({"git_branch": "feature/x", "pr": 12}),
        Example({"git_branch": "feature/x", "pr": 12, "expires": "30d"}),
        Example({"git_branch": "lost", "parent": "no-such-branch"}, problem="branch-not-found"),
        Example({"git_branch": "old", "expires": "90d"}, problem="expiry-too-far"),
        Example({"git_branch": "two\nlines"}, problem="git-branch-invalid"),
        Example({"git_branch": "x", "env_file": "no/such/folder/.env"}, problem="folder-not-found"),
    ),
)
def preview_create(
    ctx: Context,
    git_branch: GitBranch = None,
    *,
    pr: PullRequestNumber = None,
    parent: Parent = None,
    expires: Lifetime = None,
    schema_only: SchemaOnly = False,
    anonymised: Anonymised = False,
    database: AnyDatabase = None,
    env_file: EnvFile = None,
    github: Github = False,
) -> Preview:
    """Make or find the branch of a pull request; it expires by itself.

    Called again it finds the same branch and moves its expiry on. Addresses are written only to the file
    or to GitHub, and only the preview's own: where there is none, this fails.

    Raises:
        ConflictProblem: a branch of this name is there that may not be handed out.
        Problem: the platform refuses; no address is written then.
    """
    from neondba.branches import choose, preview
    from neondba.branches.policy import policy_of
    from neondba.branches.preview_name import preview_name
    from neondba.branches.preview_outlet import outlet

    choose.check_expiry(expires)
    head, number = _whose(ctx, git_branch, pr)
    name = preview_name(head, number)
    wanted = policy_of(ctx.folder).for_branch(name)
    again = (head, *(("--pr", str(number)) if number else ()))
    lifetime = expires or wanted.expires or preview.LIFETIME
    above = parent or wanted.parent
    asked = preview.Asked(name, again, above, lifetime, schema_only, anonymised, database)
    places = outlet(ctx.folder, env_file, github=github, environment=os.environ)
    with platform.client(ctx) as client:
        return preview.created(client, ctx, project_for(client, ctx), asked, places)


@operation(
    "preview.delete",
    effect=Effect.DESTROY,
    examples=(
        Example({"git_branch": "done"}, before=(("preview.create", {"git_branch": "done"}),), confirmed=True),
        Example({"git_branch": "never-made"}),
        Example({"pr": 4711}),
    ),
)
def preview_delete(
    ctx: Context, git_branch: GitBranch = None, *, pr: PullRequestNumber = None
) -> PreviewDeleted:
    """Delete the branch of a pull request; one that is gone already is no fault.

    A preview that expires anyway is deleted at once; one that somebody lets stay needs consent.

    Raises:
        ConflictProblem: it is the default branch, is protected or has branches of its own.
    """
    from neondba.branches.choose import refuse_if_needed
    from neondba.branches.open_pulls import from_github
    from neondba.branches.preview_name import PREFIX, preview_name, pull_request_of

    number = pr
    if git_branch is None and pr is None and (running_for := from_github(os.environ)):
        # Its git branch may have been renamed since the preview was made.
        number = running_for.number
    by_number = git_branch is None and number is not None
    name = None if by_number else preview_name(*_whose(ctx, git_branch, pr))
    wanted = name or f"{PREFIX}pr-{number}-…"
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        ours = [each for each in there if each.name == name] if name else []
        if name is None:
            named = [each for each in there if each.name.startswith(PREFIX)]
            ours = [each for each in named if pull_request_of(each.name.removeprefix(PREFIX)) == number]
        for branch in ours:
            refuse_if_needed(branch, project, there)
        if ours:
            with ctx.carry_out(_deletion(project.name, ours)):
                for branch in ours:
                    client.delete_branch(project.id, branch.id)
    return PreviewDeleted(project=project.name, names=tuple(each.name for each in ours), wanted=wanted)


def _deletion(project: str, ours: list[Branch]) -> Plan:
    stays = any(each.expires_at is None for each in ours)
    return Plan(
        operation="preview.delete",
        effect=Effect.DESTROY if stays else Effect.WRITE,
        target=Target(project=project, branch=ours[0].name if len(ours) == 1 else None),
        steps=tuple(
            f"Delete {each.name} ({each.id}) of project {project}, its compute and the data that only it has."
            for each in ours
        ),
    )
