"""Operations on a branch that is there: rename, expire, protect, make default, reset, restore."""

from __future__ import annotations

from shlex import quote
from typing import Annotated

from pydantic import Field

from neondba.branches import choose, life
from neondba.branches.arguments import AnyBranch, At, KeepAs
from neondba.branches.meanwhile import still_there
from neondba.branches.results import BranchChanged, BranchRestored
from neondba.core.context import Context
from neondba.core.duration import Duration
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan
from neondba.local import platform
from neondba.neon.choose import project_for


@operation(
    "branch.rename",
    effect=Effect.WRITE,
    examples=(
        Example(
            {"name": "rename-me", "to": "renamed"},
            before=(("branch.create", {"name": "rename-me", "no_compute": True}),),
        ),
        Example({"name": "renamed", "to": "main"}, problem="branch-taken"),
        Example({"name": "no-such-branch", "to": "x"}, problem="branch-not-found"),
    ),
)
def branch_rename(
    ctx: Context,
    name: AnyBranch,
    to: Annotated[str, Field(description="Its new name.", min_length=1, max_length=256)],
) -> BranchChanged:
    """Give a branch another name; its id and addresses stay."""
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        branch = choose.branch_of(there, project, name)
        choose.refuse_if_taken(to, project, there)
        noted = life.noted(ctx, project, branch)
        plan = Plan(
            operation="branch.rename",
            effect=Effect.WRITE,
            target=choose.target(project, branch),
            steps=(
                f"Rename branch {branch.name} of project {project.name} to {to}.",
                *([f"Note the new name in {noted.path.name}."] if noted else []),
            ),
        )
        with ctx.carry_out(plan), still_there(client, ctx, project, branch):
            client.update_branch(project.id, branch.id, name=to)
            if noted:
                noted.at(project.id, project.org_id, to).write()
    return BranchChanged.of(project, branch, to, f"Branch {branch.name} is now called {to}.")


@operation(
    "branch.expire",
    effect=Effect.WRITE,
    examples=(
        Example(
            {"name": "passing", "after": "2d"},
            before=(("branch.create", {"name": "passing", "no_compute": True}),),
        ),
        Example({"name": "passing", "never": True}),
        Example({"name": "passing"}, problem="expiry-needed"),
        Example({"name": "main", "after": "2d"}, problem="branch-is-default"),
    ),
)
def branch_expire(
    ctx: Context,
    name: AnyBranch,
    after: Annotated[
        Duration | None, Field(description="Delete it after this long from now, such as 3h or 3d.")
    ] = None,
    *,
    never: Annotated[bool, Field(description="Let it stay until somebody deletes it.")] = False,
) -> BranchChanged:
    """Set when Neon deletes a branch by itself, or let it stay."""
    choose.check_expiry(after, needed=not never)
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        branch = choose.branch_of(there, project, name)
        if not never:
            choose.refuse_expiry(branch, project, there)
        said = life.expiry_sentence(branch.name, None if never else after)
        plan = Plan(
            operation="branch.expire",
            effect=Effect.WRITE,
            target=choose.target(project, branch),
            steps=(f"{said} Project {project.name}.",),
        )
        with ctx.carry_out(plan), still_there(client, ctx, project, branch):
            until = None if never or after is None else ctx.clock.now() + after
            client.update_branch(project.id, branch.id, expires_at=until)
            now = client.branch(project.id, branch.id)
    return BranchChanged.of(project, now, now.name, said)


@operation(
    "branch.protect",
    effect=Effect.WRITE,
    examples=(
        Example({"name": "main"}),
        Example({"name": "main", "off": True}, problem="confirmation-needed"),
        Example({"name": "main", "off": True}, confirmed=True),
        Example({"name": "no-such-branch"}, problem="branch-not-found"),
    ),
)
def branch_protect(
    ctx: Context,
    name: AnyBranch,
    *,
    off: Annotated[bool, Field(description="Take the protection off.")] = False,
) -> BranchChanged:
    """Protect a branch: it cannot be deleted, reset or restored meanwhile."""
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        branch = choose.branch_of(client.branches(project.id), project, name)
        if not off:
            choose.refuse_if_expiring(branch, project, "a protected branch cannot")
        said = (
            f"Take the protection off branch {branch.name} of project {project.name}."
            if off
            else f"Protect branch {branch.name} of project {project.name}: nobody can delete, reset or "
            "restore it meanwhile, and branches made of it get passwords of their own."
        )
        target = choose.target(project, branch).model_copy(update={"protected": off})
        plan = Plan(operation="branch.protect", effect=Effect.WRITE, target=target, steps=(said,))
        with ctx.carry_out(plan), still_there(client, ctx, project, branch):
            client.update_branch(project.id, branch.id, protected=not off)
            now = client.branch(project.id, branch.id)
    word = "no longer protected" if off else "protected"
    return BranchChanged.of(project, now, now.name, f"Branch {branch.name} is {word}.")


@operation(
    "branch.set_default",
    effect=Effect.WRITE,
    examples=(
        Example(
            {"name": "next-main"},
            before=(("branch.create", {"name": "next-main", "no_compute": True}),),
            problem="confirmation-needed",
        ),
        Example({"name": "next-main"}, confirmed=True),
        Example({"name": "main"}, confirmed=True),
        Example({"name": "main"}, problem="branch-is-default"),
    ),
)
def branch_set_default(ctx: Context, name: AnyBranch) -> BranchChanged:
    """Make a branch the default: others are made from it, and it cannot be deleted."""
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        branch = choose.branch_of(there, project, name)
        choose.refuse_if_default_already(branch, project)
        choose.refuse_if_expiring(branch, project, "a default branch cannot")
        before = next((each.name for each in there if each.default), "none")
        plan = Plan(
            operation="branch.set_default",
            effect=Effect.WRITE,
            target=choose.target(project, branch).model_copy(update={"protected": True}),
            steps=(
                f"Make {branch.name} the default branch of project {project.name}, in place of {before}.",
                "Addresses do not move: whoever connects goes on with the branch they were told.",
            ),
        )
        with ctx.carry_out(plan), still_there(client, ctx, project, branch):
            client.set_default_branch(project.id, branch.id)
    back = f"neondba branch set-default {quote(before)} --project {quote(project.name)}"
    said = f"Branch {branch.name} is the default now; it was {before}."
    return BranchChanged.of(project, branch, branch.name, said, back)


@operation(
    "branch.reset",
    effect=Effect.DESTROY,
    examples=(
        Example(
            {"name": "reset-me"},
            before=(("branch.create", {"name": "reset-me"}),),
            problem="confirmation-needed",
        ),
        Example({"name": "reset-me"}, confirmed=True),
        Example({"name": "main"}, problem="branch-has-no-parent"),
    ),
)
def branch_reset(ctx: Context, name: AnyBranch, *, keep_as: KeepAs = None) -> BranchRestored:
    """Give a branch its parent's present data and schema; its own changes are lost.

    Name, id and addresses stay. Open connections are dropped.
    """
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        return life.reset(client, ctx, project, name, keep_as)


@operation(
    "branch.restore",
    effect=Effect.WRITE,
    examples=(
        Example(
            {"name": "restore-me", "source": "main"},
            before=(("branch.create", {"name": "restore-me"}),),
        ),
        Example({"name": "restore-me"}, problem="source-needed"),
        Example({"name": "restore-me", "at": "2020-01-01T00:00:00Z"}, problem="point-outside-history"),
        Example({"name": "restore-me", "at": "yesterday"}, problem="point-invalid"),
    ),
)
def branch_restore(
    ctx: Context,
    name: AnyBranch,
    *,
    at: At = None,
    source: Annotated[
        str | None, Field(description="Branch whose data it gets; its own past if absent.")
    ] = None,
    keep_as: KeepAs = None,
) -> BranchRestored:
    """Put a branch's own past, or another branch's data, in its place.

    Name, id and addresses stay, and open connections are dropped. What was there is always kept, as a
    branch with a name; so the way back is another restore.
    """
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        return life.restore(client, ctx, project, name, life.Wanted(at, source, keep_as))
