"""Operations that point a project's environment at a branch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.branches import checkout, choose, following, git_hook
from neondba.branches.arguments import AnyBranch
from neondba.branches.results import CheckedOut, Followed, Hooked
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.local import platform
from neondba.neon.choose import project_for


@operation(
    "branch.checkout",
    effect=Effect.WRITE,
    examples=(
        Example({"name": "no-such-branch"}, problem="branch-not-found"),
        Example({"name": "main", "role": "no-such-role"}, problem="role-not-found"),
        Example({"name": "main", "file": "tests"}, problem="env-file-unusable"),
    ),
)
def branch_checkout(
    ctx: Context,
    name: AnyBranch,
    *,
    file: Annotated[
        Path | None, Field(description="File of variables to write; .env and .env.local if absent.")
    ] = None,
    role: Annotated[str | None, Field(description="Role to connect as; the file's own if absent.")] = None,
    database: Annotated[
        str | None, Field(description="Database to use; the file's own if absent, or neondb.")
    ] = None,
    git_hook: Annotated[
        bool, Field(description="Also install a hook: git checkout then switches the branch too.")
    ] = False,
) -> CheckedOut:
    """Point the project's environment files at a branch.

    Writes DATABASE_URL, DATABASE_URL_UNPOOLED and the other names of connections that the files hold
    already, and notes the branch in `.neon`. Everything else in the files stays as it is.
    """
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        branch = choose.branch_of(client.branches(project.id), project, name)
        asked = checkout.Asked(file, role, database, git_hook)
        return checkout.carried_out(client, ctx, project, branch, asked)


@operation("branch.follow", effect=Effect.WRITE, examples=(Example({"git_branch": "no-such-branch"}),))
def branch_follow(
    ctx: Context,
    *,
    git_branch: Annotated[
        str | None, Field(description="Git branch to follow; the one that is checked out if absent.")
    ] = None,
) -> Followed:
    """Point the environment at the branch that goes with the current git branch.

    That is the one that was checked out here last with this git branch, else one of the same name; never
    the default branch or a protected one. Without one, everything stays as it is. The git hook calls this.
    """
    return following.follow(ctx, git_branch)


@operation(
    "branch.hook",
    effect=Effect.WRITE,
    examples=(Example({"off": True}),),
)
def branch_hook(
    ctx: Context, *, off: Annotated[bool, Field(description="Remove the hook.")] = False
) -> Hooked:
    """Install the git hook that follows the git branch, or remove it."""
    path = git_hook.path_of(ctx.folder)
    if off:
        there = git_hook.is_ours(path)
        said = f"Remove {path}." if there else f"Nothing: {path} is not ours or not there."
    else:
        git_hook.check(path)
        said = f"Write {path}: after git checkout it calls neondba branch follow."
    plan = Plan(operation="branch.hook", effect=Effect.WRITE, target=Target(), steps=(said,))
    with ctx.carry_out(plan):
        if off:
            gone = git_hook.remove(path)
            done = "The hook is removed." if gone else "There was no hook of ours."
            return Hooked(installed=False, path=str(path), done=done)
        git_hook.install(path)
    done = "git checkout now points the environment at the Neon branch of the same name, if there is one."
    return Hooked(installed=True, path=str(path), done=done, next=("neondba branch hook --off",))
