"""Let the environment follow the git branch, where a Neon branch goes with it."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import checkout
from neondba.branches.results import Followed
from neondba.core.context import Context
from neondba.core.context_file import ContextFile, nearest
from neondba.local import platform
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Project


def follow(ctx: Context, git_branch: str | None = None) -> Followed:
    """Switch to the branch that goes with the git branch, or say why nothing was switched."""
    wanted = git_branch or checkout.git_branch(ctx)
    if wanted is None:
        return Followed(git_branch=None, branch=None, done="No git branch is checked out; nothing to follow.")
    context = nearest(ctx.folder)
    if context is None or context.project is None:
        done = "No branch was ever checked out here; nothing to follow. neondba branch checkout BRANCH"
        return Followed(git_branch=wanted, branch=None, done=done)
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        branch, why = _going_with(wanted, context, project, client.branches(project.id))
        if branch is None:
            return Followed(git_branch=wanted, branch=None, done=why)
        if context.project == project.id and context.branch == branch.name:
            done = f"The environment leads to {branch.name} already."
            return Followed(git_branch=wanted, branch=branch.name, done=done)
        made = checkout.carried_out(client, ctx, project, branch, checkout.Asked())
    files = ", ".join(file.path for file in made.files)
    done = f"The environment ({files}) now leads to branch {branch.name} of project {project.name}."
    done += f" {made.care}" if made.care else ""
    return Followed(git_branch=wanted, branch=branch.name, done=done)


def _going_with(
    wanted: str, context: ContextFile, project: Project, there: list[Branch]
) -> tuple[Branch | None, str]:
    by_name = {each.name: each for each in there}
    ours = context.project == project.id
    current = context.branch if ours else None
    stays = f"the environment still leads to {current}" if current else "the environment stays as it is"
    chosen = context.follows.get(wanted) if ours else None
    if chosen is not None and chosen not in by_name:
        return None, f"Branch {chosen}, which went with {wanted}, is gone; {stays}."
    found = by_name.get(chosen or wanted)
    if found is None:
        return None, f"No Neon branch is called {wanted}; {stays}. neondba branch create {quote(wanted)}"
    if found.default or found.protected:
        kind = "protected" if found.protected else "the default branch"
        # Nobody wants to find out after git checkout main that their tests ran on production; and the map
        # may come with a git branch that a stranger wrote.
        why = f"{found.name} is {kind}, so it is not followed; {stays}."
        return None, f"{why} neondba branch checkout {quote(found.name)}"
    return found, ""
