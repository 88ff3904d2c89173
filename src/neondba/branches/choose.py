"""What may not be deleted, and what not be made twice."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.core.problem import ConflictProblem

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Project


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
