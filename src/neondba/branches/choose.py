"""Which project is meant, and what may not be deleted."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project


def project_for(client: NeonClient, ctx: Context) -> Project:
    """Give the project that is set, or else the only one that is no proof's throw-away.

    Raises:
        NotFoundProblem: it does not exist, or there is none at all.
        ArgumentProblem: none is set and there are several.
    """
    if ctx.settings.project is not None:
        return client.find_project(ctx.settings.project)
    from neondba.neon.throwaway import is_throwaway

    there = [project for project in client.projects() if not is_throwaway(project.name)]
    if len(there) == 1:
        ctx.progress(f"Using project {there[0].name}: it is the only one.")
        return there[0]
    if not there:
        raise NotFoundProblem(
            "project-not-found",
            "There is no project yet.",
            hint="neondba project create NAME makes one.",
        )
    names = sorted(each.name for each in there)
    raise ArgumentProblem(
        "project-needed",
        f"There are {len(names)} projects and none is chosen: {', '.join(names[:10])}.",
        hint=f"Name one: --project {quote(names[0])}, or set NEONDBA_PROJECT.",
        projects=names,
    )


def refuse_if_needed(branch: Branch, project: Project, there: list[Branch]) -> None:
    """Stop before a delete that Neon would refuse, with the reason.

    Raises:
        ConflictProblem: it is the default branch, is protected, or has children.
    """
    if branch.default:
        raise ConflictProblem(
            "branch-is-default",
            f"{branch.name} is the default branch of project {project.name}; Neon keeps it.",
            hint=f"Make another branch the default first, or delete the project: "
            f"neondba project delete {quote(project.name)}",
        )
    if branch.protected:
        raise ConflictProblem(
            "branch-is-protected",
            f"Branch {branch.name} of project {project.name} is protected.",
            hint="Take the protection off in the Neon Console first, if it may really go.",
        )
    children = sorted(each.name for each in there if each.parent_id == branch.id)
    if children:
        raise ConflictProblem(
            "branch-has-children",
            f"Branch {branch.name} has {len(children)} of its own: {', '.join(children[:10])}.",
            hint=f"Delete those first: neondba branch delete {quote(children[0])}",
            children=children,
        )


def refuse_if_taken(name: str, project: Project, there: list[Branch]) -> None:
    """Stop before a second branch of the same name.

    Raises:
        ConflictProblem: the project has one already.
    """
    if any(each.name == name for each in there):
        raise ConflictProblem(
            "branch-taken",
            f"Project {project.name} has a branch {name} already.",
            hint=f"Take another name, or delete it first: neondba branch delete {quote(name)}",
        )
