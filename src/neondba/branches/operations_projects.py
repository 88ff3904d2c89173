"""Operations on projects, over the Neon API."""

from __future__ import annotations

from shlex import quote
from typing import Annotated

from pydantic import Field

from neondba.branches.results import Deleted, ProjectCreated, ProjectLine, ProjectList
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ConflictProblem
from neondba.local import platform


@operation(
    "project.create",
    effect=Effect.WRITE,
    beyond_project=True,
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
    region: Annotated[
        str | None,
        Field(description="Region, such as aws-eu-central-1: a project stays in it."),
    ] = None,
    pg_version: Annotated[
        int | None, Field(description="Major version of PostgreSQL; the API chooses if none is given.", ge=14)
    ] = None,
) -> ProjectCreated:
    """Create a project with a default branch, a database and its owner."""
    with platform.client(ctx) as client:
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
                f"Create project {name} with default branch {branch}{_where(region, pg_version)}.",
                f"Create database {database} and the role {database}_owner that owns it.",
            ),
        )
        with ctx.carry_out(plan):
            made = client.create_project(
                name, branch=branch, database=database, region=region, pg_version=pg_version
            )
    return ProjectCreated.of(made)


def _where(region: str | None, pg_version: int | None) -> str:
    chosen = [f"in {region}"] if region else []
    chosen += [f"on PostgreSQL {pg_version}"] if pg_version else []
    return f" {' '.join(chosen)}" if chosen else ""


@operation("project.list", effect=Effect.READ, beyond_project=True, examples=(Example(),))
def project_list(ctx: Context) -> ProjectList:
    """List the projects."""
    with platform.client(ctx) as client:
        there = sorted(client.projects(), key=lambda each: each.name)
    return ProjectList(
        projects=tuple(ProjectLine.of(each) for each in there),
        next=() if there else ("neondba project create NAME",),
    )


@operation(
    "project.delete",
    effect=Effect.DESTROY,
    beyond_project=True,
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
    with platform.client(ctx) as client:
        project = client.find_project(name)
        branches = client.branches(project.id)
        protected = sorted(each.name for each in branches if each.protected)
        if protected:
            raise ConflictProblem(
                "project-is-protected",
                f"Project {project.name} holds protected branches: {', '.join(protected)}.",
                hint="Take the protection off first, if it may really go: "
                f"neondba branch protect {quote(protected[0])} --off --project {quote(project.name)}",
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
