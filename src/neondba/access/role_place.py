"""Where a role lives: a branch's database, and a session there that may manage roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.plan import Target
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.connection_string import ConnectionString
    from neondba.neon.models import Branch, Project
    from neondba.postgres.connect import Connection


@dataclass(frozen=True)
class Place:
    """One database on one branch, as the role that owns it reaches it."""

    client: NeonClient
    project: Project
    branch: Branch
    database: str
    owner: str
    direct: ConnectionString
    pooled: ConnectionString
    session: Connection
    """Of the owner, direct."""

    def url(self, role: str, password: Secret, *, pooled: bool) -> ConnectionString:
        """Give the connection string of a role here."""
        return (self.pooled if pooled else self.direct).with_role(role, password)

    def target(self, role: str) -> Target:
        """Give what a change of a role touches; protected and default branches need consent."""
        protected = self.branch.protected or self.branch.default
        return Target(project=self.project.name, branch=self.branch.name, role=role, protected=protected)

    @property
    def endpoints(self) -> frozenset[str]:
        """Give the ids of the branch's endpoints."""
        return frozenset(each.id for each in self.client.endpoints(self.project.id, self.branch.id))

    @property
    def key(self) -> str:
        """Name the place among all places of all projects."""
        return f"{self.project.id}/{self.branch.id}/{self.database}"


@contextmanager
def opened(ctx: Context, branch: str | None, database: str | None) -> Iterator[Place]:
    """Open a branch: the one named, else the folder's, else the default one.

    Raises:
        Problem: the project, branch or database does not exist, or cannot be reached.
    """
    from neondba.local import platform
    from neondba.neon.choose import project_for
    from neondba.neon.connection_string import parse
    from neondba.neon.throwaway import reached
    from neondba.postgres.connect import connect

    with platform.client(ctx) as client:
        project = project_for(client, ctx)
        chosen = chosen_branch(client, ctx, project, branch)
        at = reached(client, project.id, chosen, database)
        with connect(at.direct, limit=ctx.settings.step_limit) as session:
            yield Place(
                client,
                project,
                chosen,
                at.database,
                at.role,
                parse(at.direct),
                parse(at.pooled),
                session,
            )


def chosen_branch(client: NeonClient, ctx: Context, project: Project, wanted: str | None) -> Branch:
    """Give the branch that is named, else the folder's, else the default one."""
    from neondba.core.context_file import noted_branch
    from neondba.neon.answers import found

    there = client.branches(project.id)
    named = wanted if wanted is not None else noted_branch(ctx.folder, project.id)
    if named is not None:
        return found("branch", named, there, project.name)
    return next(each for each in there if each.default)
