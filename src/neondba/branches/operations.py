"""Operations on branches, over the Neon API."""

from __future__ import annotations

from shlex import quote
from typing import Annotated

from pydantic import Field

from neondba.branches.arguments import AnyBranch, At, Expires, NewName
from neondba.branches.choose import branch_of, parent_of_new, refuse_if_needed
from neondba.branches.create import Wanted, create
from neondba.branches.life import noted
from neondba.branches.listing import BranchList, listed
from neondba.branches.results import BranchCreated, Deleted
from neondba.branches.showing import BranchShown, shown
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.local import platform
from neondba.neon.choose import project_for


@operation(
    "branch.create",
    effect=Effect.WRITE,
    featured=True,
    examples=(
        Example({"name": "dev", "expires": "3h"}),
        Example({"name": "dev-of-dev", "parent": "main", "no_compute": True}),
        Example({"name": "dev"}, problem="branch-taken"),
        Example({"name": "lost", "parent": "no-such-branch"}, problem="branch-not-found"),
        Example({"name": "old", "expires": "90d"}, problem="expiry-too-far"),
        Example({"name": "old", "at": "2020-01-01T00:00:00Z"}, problem="point-outside-history"),
        Example({"name": "leaf", "parent": "dev"}, problem="branch-expires"),
    ),
)
def branch_create(
    ctx: Context,
    name: NewName,
    *,
    parent: Annotated[
        str | None,
        Field(description="Branch to copy; else the default one, or one with the role of .env."),
    ] = None,
    at: At = None,
    schema_only: Annotated[bool, Field(description="Copy the schema without the rows.")] = False,
    anonymised: Annotated[
        bool,
        Field(description="Mask personal data: a root of masked rows only."),
    ] = False,
    expires: Expires = None,
    no_compute: Annotated[bool, Field(description="Make no compute: it takes no connections.")] = False,
    no_checkout: Annotated[bool, Field(description="Leave environment files as they are.")] = False,
) -> BranchCreated:
    """Create a branch that shares its parent's data.

    Environment files of the project one stands in that lead to this Neon project are pointed at the new
    branch, as `branch checkout` does; others are left alone. Where their role is not on the default branch,
    as after `setup`, the parent is the branch between it and the current one that has the role.
    """
    wanted = Wanted(name, parent, at, schema_only, anonymised, expires, not no_compute, not no_checkout)
    with platform.client(ctx) as client:
        return create(client, ctx, wanted)


@operation("branch.list", effect=Effect.READ, featured=True, examples=(Example(),))
def branch_list(ctx: Context) -> BranchList:
    """List the branches of the project: age, size, cost, owner and last use."""
    with platform.client(ctx) as client:
        return listed(client, ctx)


@operation(
    "branch.show",
    effect=Effect.READ,
    examples=(Example({"name": "main"}), Example({"name": "no-such-branch"}, problem="branch-not-found")),
)
def branch_show(ctx: Context, name: AnyBranch) -> BranchShown:
    """Show one branch: where it comes from, what it holds, costs, and how it is kept."""
    with platform.client(ctx) as client:
        return shown(client, ctx, name)


@operation(
    "branch.delete",
    effect=Effect.DESTROY,
    examples=(
        Example({"name": "main"}, problem="branch-is-default"),
        Example({"name": "no-such-branch"}, problem="branch-not-found"),
        Example(
            {"name": "short-lived"},
            before=(("branch.create", {"name": "short-lived"}),),
            problem="confirmation-needed",
        ),
        Example({"name": "short-lived"}, confirmed=True),
    ),
)
def branch_delete(ctx: Context, name: AnyBranch) -> Deleted:
    """Delete a branch with its compute and the data that only it has."""
    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        branch = branch_of(there, project, name)
        refuse_if_needed(branch, project, there)
        parent = next((each.name for each in there if each.id == branch.parent_id), None)
        kept = f"; what it shares with {parent} stays" if parent else ""
        default = parent_of_new(there, project, None).name
        leads_here = noted(ctx, project, branch) is not None
        lost = ["The environment of this folder goes on leading to it, to nothing."] if leads_here else []
        plan = Plan(
            operation="branch.delete",
            effect=Effect.DESTROY,
            target=Target(project=project.name, branch=branch.name),
            steps=(
                f"Delete the compute of branch {branch.name} ({branch.id}) of project {project.name}; its "
                "connections break.",
                f"Delete the data that only {branch.name} has{kept}.",
                *lost,
            ),
        )
        with ctx.carry_out(plan):
            client.delete_branch(project.id, branch.id)
    where = f"--project {quote(project.name)}"
    after = [f"neondba branch checkout {quote(default)} {where}"] if leads_here else []
    return Deleted(
        kind="branch",
        name=branch.name,
        id=branch.id,
        project=project.name,
        next=(*after, f"neondba branch list {where}"),
    )
