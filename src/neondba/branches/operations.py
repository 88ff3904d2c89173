"""Operations on projects and branches, over the Neon API."""

from __future__ import annotations

from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from neondba.branches.choose import refuse_if_needed, refuse_if_taken
from neondba.branches.results import (
    BranchCreated,
    BranchLine,
    BranchList,
    Deleted,
    ProjectCreated,
    ProjectLine,
    ProjectList,
)
from neondba.branches.run import RunResult
from neondba.core.context import Context
from neondba.core.duration import Duration, spell
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient

LONGEST_LIFE = timedelta(days=30)
"""Neon refuses an expiry further ahead."""


def _client(ctx: Context) -> NeonClient:
    from neondba.local.platform import client

    return client(ctx)


@operation(
    "project.create",
    effect=Effect.WRITE,
    examples=(
        Example({"name": "shop", "branch": "main"}),
        Example({"name": "shop"}, problem="project-taken"),
    ),
)
def project_create(
    ctx: Context,
    name: Annotated[str, Field(description="Name of the new project.", min_length=1, max_length=64)],
    *,
    branch: Annotated[
        str, Field(description="Name of its default branch.", min_length=1, max_length=256)
    ] = "main",
    database: Annotated[
        str, Field(description="Name of its first database.", min_length=1, max_length=63)
    ] = "neondb",
) -> ProjectCreated:
    """Create a project with a default branch, a database and its owner."""
    with _client(ctx) as client:
        if any(each.name == name for each in client.projects()):
            raise ConflictProblem(
                "project-taken",
                f"A project called {name} is there already.",
                hint="Take another name: neondba names projects by name, so two alike would be unclear.",
            )
        plan = Plan(
            operation="project.create",
            effect=Effect.WRITE,
            target=Target(project=name, branch=branch, role=f"{database}_owner"),
            steps=(
                f"Create project {name} with default branch {branch}.",
                f"Create database {database} and the role {database}_owner that owns it.",
            ),
        )
        with ctx.carry_out(plan):
            made = client.create_project(name, branch=branch, database=database)
    return ProjectCreated.of(made)


@operation("project.list", effect=Effect.READ, examples=(Example(),))
def project_list(ctx: Context) -> ProjectList:
    """List the projects."""
    with _client(ctx) as client:
        there = sorted(client.projects(), key=lambda each: each.name)
    return ProjectList(
        projects=tuple(ProjectLine.of(each) for each in there),
        next=() if there else ("neondba project create NAME",),
    )


@operation(
    "project.delete",
    effect=Effect.DESTROY,
    examples=(
        Example({"name": "no-such-project"}, problem="project-not-found"),
        Example(
            {"name": "short-lived"},
            before=(("project.create", {"name": "short-lived"}),),
            problem="confirmation-needed",
        ),
        Example({"name": "short-lived"}, confirmed=True),
    ),
)
def project_delete(
    ctx: Context,
    name: Annotated[str, Field(description="The project: its name or its id.", min_length=1)],
) -> Deleted:
    """Delete a project with all its branches and their data."""
    with _client(ctx) as client:
        project = client.find_project(name)
        branches = client.branches(project.id)
        protected = sorted(each.name for each in branches if each.protected)
        if protected:
            raise ConflictProblem(
                "project-is-protected",
                f"Project {project.name} holds protected branches: {', '.join(protected)}.",
                hint="Take the protection off in the Neon Console first, if it may really go.",
            )
        names = ", ".join(sorted(each.name for each in branches))
        plan = Plan(
            operation="project.delete",
            effect=Effect.DESTROY,
            target=Target(project=project.name),
            steps=(
                f"Delete project {project.name} ({project.id}).",
                f"With it go its branches, their roles and all their data: {names}.",
            ),
        )
        with ctx.carry_out(plan):
            client.delete_project(project.id)
    return Deleted(kind="project", name=project.name, id=project.id, next=("neondba project list",))


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
    ),
)
def branch_create(
    ctx: Context,
    name: Annotated[str, Field(description="Name of the new branch.", min_length=1, max_length=256)],
    *,
    parent: Annotated[
        str | None, Field(description="Branch to copy, by name or id; the default branch if absent.")
    ] = None,
    expires: Annotated[
        Duration | None, Field(description="Delete it after this long, such as 90m, 3h or 3d.")
    ] = None,
    no_compute: Annotated[
        bool, Field(description="Make no compute: the branch keeps data but takes no connections.")
    ] = False,
) -> BranchCreated:
    """Create a branch that shares its parent's data."""
    _check_expiry(expires)
    with _client(ctx) as client:
        project = project_for(client, ctx)
        there = client.branches(project.id)
        refuse_if_taken(name, project, there)
        source = client.find_branch(project, parent) if parent else client.default_branch(project)
        plan = _branch_plan(project.name, source.name, name, expires, compute=not no_compute)
        with ctx.carry_out(plan):
            made = client.create_branch(
                project.id,
                name,
                parent_id=source.id,
                expires_at=ctx.clock.now() + expires if expires else None,
                compute=not no_compute,
            )
    return BranchCreated.of(made, project.name, source.name)


def _check_expiry(expires: timedelta | None) -> None:
    if expires is not None and expires > LONGEST_LIFE:
        raise ArgumentProblem(
            "expiry-too-far",
            f"{spell(expires)} is too far ahead: Neon deletes a branch after 30 days at most.",
            hint="Give up to 30d, or leave it out to keep the branch until you delete it.",
        )


def _branch_plan(project: str, parent: str, name: str, expires: timedelta | None, *, compute: bool) -> Plan:
    steps = [f"Create branch {name} of {parent} in project {project}."]
    steps += [f"Make a compute for {name}; it starts with the first connection."] if compute else []
    steps += [f"Neon deletes {name} after {spell(expires)}."] if expires else []
    return Plan(
        operation="branch.create",
        effect=Effect.WRITE,
        target=Target(project=project, branch=name),
        steps=tuple(steps),
    )


@operation("branch.list", effect=Effect.READ, featured=True, examples=(Example(),))
def branch_list(ctx: Context) -> BranchList:
    """List the branches of the project, parents before children."""
    with _client(ctx) as client:
        project = project_for(client, ctx)
        there = sorted(client.branches(project.id), key=lambda each: (each.created_at, each.name))
        hosts = {each.branch_id: each.host for each in client.endpoints(project.id)}
    names = {each.id: each.name for each in there}
    return BranchList(
        project=project.name,
        branches=tuple(BranchLine.of(each, names, hosts) for each in there),
        next=(f"neondba branch create NAME --project {quote(project.name)}",),
    )


@operation(
    "branch.delete",
    effect=Effect.DESTROY,
    featured=True,
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
def branch_delete(
    ctx: Context,
    name: Annotated[str, Field(description="The branch: its name or its id.", min_length=1)],
) -> Deleted:
    """Delete a branch with its compute and the data that only it has."""
    with _client(ctx) as client:
        project = project_for(client, ctx)
        branch = client.find_branch(project, name)
        there = client.branches(project.id)
        refuse_if_needed(branch, project, there)
        parent = next((each.name for each in there if each.id == branch.parent_id), None)
        kept = f"; what it shares with {parent} stays" if parent else ""
        plan = Plan(
            operation="branch.delete",
            effect=Effect.DESTROY,
            target=Target(project=project.name, branch=branch.name),
            steps=(
                f"Delete the compute of branch {branch.name} ({branch.id}); its connections break.",
                f"Delete the data that only {branch.name} has{kept}.",
            ),
        )
        with ctx.carry_out(plan):
            client.delete_branch(project.id, branch.id)
    return Deleted(
        kind="branch",
        name=branch.name,
        id=branch.id,
        project=project.name,
        next=(f"neondba branch list --project {quote(project.name)}",),
    )


@operation(
    "run",
    effect=Effect.WRITE,
    examples=(
        Example({"command": ["true"]}),
        Example({"command": ["false"], "name": "one-test"}),
        Example({"command": ["true"], "branch": False}),
        Example({"command": ["true"], "parent": "no-such-branch"}, problem="branch-not-found"),
        Example({"command": ["no-such-program"]}, problem="command-not-found"),
        Example({"command": []}, problem="argument-invalid"),
    ),
)
def run(
    ctx: Context,
    command: Annotated[
        list[str], Field(description="The program and its arguments, behind `--`.", min_length=1)
    ],
    *,
    branch: Annotated[
        bool, Field(description="Make a fresh branch, gone afterwards; else use the parent itself.")
    ] = True,
    parent: Annotated[
        str | None, Field(description="Branch to copy, by name or id; the default branch if absent.")
    ] = None,
    name: Annotated[
        str | None, Field(description="Name of the fresh branch.", min_length=1, max_length=256)
    ] = None,
    database: Annotated[
        str | None, Field(description="Database to connect to; neondb or the oldest if absent.")
    ] = None,
    schema_only: Annotated[bool, Field(description="Copy the parent's schema without its rows.")] = False,
    keep: Annotated[bool, Field(description="Leave the fresh branch there afterwards.")] = False,
) -> RunResult:
    """Run a command on a fresh branch, gone afterwards.

    The branch reaches the command through its environment alone: `DATABASE_URL` (pooled),
    `DATABASE_URL_UNPOOLED`, the `PG…` variables of libpq, `NEON_BRANCH`, `NEON_PROJECT_ID`,
    `NEON_API_HOST` and `NEON_API_KEY`. Input, output, signals and the exit status are the command's own;
    where there is no terminal, the end of its output is part of the answer.
    """
    from neondba.branches import run as work

    work.program(command)
    with _client(ctx) as client:
        asked = work.Asked(branch, parent, name, database, schema_only, keep)
        return work.carried_out(client, ctx, command, asked)
