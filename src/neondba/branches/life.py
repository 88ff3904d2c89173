"""Put other data in a branch's place, with the old state kept where asked; and small words about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING

from neondba.branches import choose
from neondba.branches.meanwhile import still_there
from neondba.branches.point import Point, check_window, point_of
from neondba.branches.results import BranchRestored
from neondba.core.context import Context
from neondba.core.context_file import ContextFile, nearest
from neondba.core.duration import spell
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ArgumentProblem, ConflictProblem, NotFoundProblem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project


@dataclass(frozen=True)
class Wanted:
    """What a branch is to be restored to."""

    at: str | None
    source: str | None
    keep_as: str | None


def expiry_sentence(name: str, after: timedelta | None) -> str:
    """Say when a branch goes."""
    if after is None:
        return f"Branch {name} stays until somebody deletes it."
    return f"Neon deletes branch {name} and its data {spell(after)} from now."


def noted(ctx: Context, project: Project, branch: Branch) -> ContextFile | None:
    """Give the `.neon` file that names this branch, if one does."""
    found = nearest(ctx.folder)
    same = found is not None and found.project == project.id and found.branch in (branch.name, branch.id)
    return found if same else None


def reset(
    client: NeonClient, ctx: Context, project: Project, name: str, keep_as: str | None
) -> BranchRestored:
    """Give a branch its parent's present data.

    Raises:
        ConflictProblem: it has no parent, is protected, or has children and nothing keeps them.
    """
    there = client.branches(project.id)
    branch = choose.branch_of(there, project, name)
    parent = _parent(branch, project, there)
    _check(branch, project, there, keep_as)
    steps = [
        f"Give branch {branch.name} of project {project.name} the present data and schema of {parent.name}.",
        _old_state(branch, there, keep_as),
        f"Drop the open connections to {branch.name}; its name and addresses stay.",
    ]
    plan = Plan(
        operation="branch.reset",
        effect=Effect.WRITE if keep_as else Effect.DESTROY,
        target=choose.target(project, branch),
        steps=tuple(steps),
    )
    with ctx.carry_out(plan), still_there(client, ctx, project, branch, parent):
        client.restore_branch(project.id, branch.id, source_id=parent.id, preserve_under_name=keep_as)
        now = client.branch(project.id, branch.id)
    return BranchRestored.of(project, now, f"{parent.name} as it was just now", keep_as)


def restore(client: NeonClient, ctx: Context, project: Project, name: str, wanted: Wanted) -> BranchRestored:
    """Put a branch's past, or another branch's data, in its place; what was there gets a name.

    Raises:
        ArgumentProblem: no source is named, or the point is outside the history.
        ConflictProblem: the branch is protected, or the name to keep it by is taken.
    """
    if wanted.at is None and wanted.source is None:
        raise ArgumentProblem(
            "source-needed",
            "It is not said what to restore.",
            hint='Give a point of its past, as --at "10m ago", another branch with --source, or both.',
        )
    there = client.branches(project.id)
    branch = choose.branch_of(there, project, name)
    source = choose.branch_of(there, project, wanted.source) if wanted.source else branch
    point = point_of(wanted.at, ctx) if wanted.at else None
    if source.id == branch.id and point is None:
        raise ArgumentProblem("source-needed", f"{branch.name} is {branch.name} already: give --at a point.")
    if point is not None:
        check_window(point, project, source, ctx)
    kept = wanted.keep_as or choose.free_name(f"{branch.name}_old_{ctx.clock.now():%Y-%m-%d}", there)
    _check(branch, project, there, kept)
    plan = _plan(project, branch, source, point, kept, there)
    with ctx.carry_out(plan), still_there(client, ctx, project, branch, source, point=point):
        _stays(client, project, branch, source)
        client.restore_branch(
            project.id,
            branch.id,
            source_id=source.id,
            lsn=point.lsn if point else None,
            timestamp=point.timestamp if point else None,
            preserve_under_name=kept,
        )
        now = client.branch(project.id, branch.id)
    return BranchRestored.of(project, now, _words(source, point), kept)


def _plan(
    project: Project, branch: Branch, source: Branch, point: Point | None, kept: str, there: list[Branch]
) -> Plan:
    steps = [
        f"Put {_words(source, point)} in the place of branch {branch.name} of project {project.name}.",
        _old_state(branch, there, kept),
        f"Drop the open connections to {branch.name}; its name and addresses stay.",
    ]
    if source.id != branch.id and source.expires_at is not None:
        steps.insert(0, f"Let {source.name} stay: {branch.name} will be its child, so it may not expire.")
    return Plan(
        operation="branch.restore",
        effect=Effect.WRITE,
        target=choose.target(project, branch),
        steps=tuple(steps),
    )


def _words(source: Branch, point: Point | None) -> str:
    return f"{source.name} {point.spoken}" if point else f"{source.name} as it is now"


def _stays(client: NeonClient, project: Project, branch: Branch, source: Branch) -> None:
    if source.id != branch.id and source.expires_at is not None:
        client.update_branch(project.id, source.id, expires_at=None)


def _old_state(branch: Branch, there: list[Branch], kept: str | None) -> str:
    if kept is None:
        return f"What only {branch.name} has is lost. To keep it, give it a name: --keep-as NAME"
    children = choose.children_of(branch, there)
    also = f", and with it goes its place above {', '.join(children)}" if children else ""
    return f"Keep what {branch.name} holds now as branch {kept}{also}."


def _parent(branch: Branch, project: Project, there: list[Branch]) -> Branch:
    if branch.parent_id is None:
        raise ConflictProblem(
            "branch-has-no-parent",
            f"{branch.name} is a root branch of project {project.name}: there is no parent to reset it from.",
            hint=f"Go back in its own past: neondba branch restore {quote(branch.name)} --at TIME "
            f"--project {quote(project.name)}",
        )
    for each in there:
        if each.id == branch.parent_id:
            return each
    raise NotFoundProblem(
        "parent-gone",
        f"The parent of {branch.name} ({branch.parent_id}) is no longer in project {project.name}.",
        hint=f"Name another source: neondba branch restore {quote(branch.name)} --source BRANCH",
    )


def _check(branch: Branch, project: Project, there: list[Branch], kept: str | None) -> None:
    choose.refuse_if_protected(branch, project, "reset or restored")
    if kept is not None:
        choose.refuse_if_taken(kept, project, there)
    children = choose.children_of(branch, there)
    if children and kept is None:
        raise ConflictProblem(
            "branch-has-children",
            f"Branch {branch.name} has {len(children)} of its own: {', '.join(children[:10])}.",
            hint="Keep what they hang on under a name: --keep-as NAME",
            children=children,
        )
