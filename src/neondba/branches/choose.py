"""Which branch is meant, what may not be done to it, and what not be made twice."""

from __future__ import annotations

from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.core.duration import spell
from neondba.core.plan import Target
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Project

LONGEST_LIFE: Final = timedelta(days=30)
"""Neon refuses an expiry further ahead."""


def branch_of(there: list[Branch], project: Project, name: str) -> Branch:
    """Give the branch of this id or name.

    Raises:
        NotFoundProblem: the project has none.
    """
    from neondba.neon.answers import found

    return found("branch", name, there, project.name)


def parent_of_new(there: list[Branch], project: Project, name: str | None) -> Branch:
    """Give the branch that a new one is made of: the default one unless named.

    Raises:
        NotFoundProblem: there is none.
    """
    if name is not None:
        return branch_of(there, project, name)
    for each in there:
        if each.default:
            return each
    raise NotFoundProblem(
        "branch-not-found",
        f"Project {project.name} has no default branch.",
        hint="Name the branch to copy: --parent BRANCH",
    )


def target(project: Project, branch: Branch, role: str | None = None) -> Target:
    """Give what a write to a branch touches; protected and default branches need consent."""
    return Target(
        project=project.name, branch=branch.name, role=role, protected=branch.protected or branch.default
    )


def children_of(branch: Branch, there: list[Branch]) -> list[str]:
    """Give the names of a branch's own branches."""
    return sorted(each.name for each in there if each.parent_id == branch.id)


def free_name(wanted: str, there: list[Branch]) -> str:
    """Give a name that no branch has: this one, or with a number."""
    taken = {each.name for each in there}
    names = (wanted, *(f"{wanted}_{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def check_expiry(expires: timedelta | None, *, needed: bool = False) -> None:
    """Refuse an expiry that Neon would not take.

    Raises:
        ArgumentProblem: it is further ahead than Neon allows, or missing where one is needed.
    """
    if expires is None and needed:
        raise ArgumentProblem(
            "expiry-needed",
            "It is not said when the branch is to go.",
            hint="Give a length of time, as 3d, or --never.",
        )
    if expires is not None and expires > LONGEST_LIFE:
        raise ArgumentProblem(
            "expiry-too-far",
            f"{spell(expires)} is too far ahead: Neon deletes a branch after 30 days at most.",
            hint="Give up to 30d, or leave it out to keep the branch until you delete it.",
        )


def refuse_expiry(branch: Branch, project: Project, there: list[Branch]) -> None:
    """Stop before an expiry that Neon would refuse, with the reason.

    Raises:
        ConflictProblem: it is the default branch, is protected, or has children.
    """
    refuse_if_needed(branch, project, there, "given an expiry")


def refuse_if_default_already(branch: Branch, project: Project) -> None:
    """Stop where nothing is to be done.

    Raises:
        ConflictProblem: it is the default branch.
    """
    if branch.default:
        raise ConflictProblem(
            "branch-is-default", f"{branch.name} is the default branch of project {project.name} already."
        )


def refuse_if_needed(branch: Branch, project: Project, there: list[Branch], what: str = "deleted") -> None:
    """Stop before a delete that Neon would refuse, with the reason.

    Raises:
        ConflictProblem: it is the default branch, is protected, or has children.
    """
    if branch.default:
        raise ConflictProblem(
            "branch-is-default",
            f"{branch.name} is the default branch of project {project.name}: it cannot be {what}.",
            hint=f"Make another branch the default first: neondba branch set-default BRANCH "
            f"--project {quote(project.name)}",
        )
    refuse_if_protected(branch, project, what)
    children = children_of(branch, there)
    if children:
        raise ConflictProblem(
            "branch-has-children",
            f"Branch {branch.name} has {len(children)} of its own: {', '.join(children[:10])}.",
            hint=f"Delete those first: neondba branch delete {quote(children[0])}",
            children=children,
        )


def refuse_if_protected(branch: Branch, project: Project, what: str) -> None:
    """Stop before a change that Neon refuses while a branch is protected.

    Raises:
        ConflictProblem: it is.
    """
    if branch.protected:
        raise ConflictProblem(
            "branch-is-protected",
            f"Branch {branch.name} of project {project.name} is protected: it cannot be {what}.",
            hint=f"Take the protection off first, if it may really be: neondba branch protect "
            f"{quote(branch.name)} --off --project {quote(project.name)}",
        )


def refuse_if_expiring(branch: Branch, project: Project, why: str) -> None:
    """Stop where a branch that expires may not be used.

    Raises:
        ConflictProblem: it expires.
    """
    if branch.expires_at is not None:
        raise ConflictProblem(
            "branch-expires",
            f"Branch {branch.name} expires at {branch.expires_at:%Y-%m-%d %H:%M} UTC: {why}.",
            hint=f"Let it stay first: neondba branch expire {quote(branch.name)} --never "
            f"--project {quote(project.name)}",
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
