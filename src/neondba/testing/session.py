"""What one pytest process needs of Neon: a client, the project, branches on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.testing.branch import NeonBranch

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Project
    from neondba.neon.throwaway import Throwaway


class Session:
    """The Neon of these tests."""

    def __init__(self, ctx: Context, client: NeonClient, project: Project, database: str | None) -> None:
        self.ctx = ctx
        self.client = client
        self.project = project
        self.database = database

    @contextmanager
    def branch(self, parent: str | None) -> Iterator[NeonBranch]:
        """Give a branch of its own, gone afterwards; of the default branch if no parent is named."""
        from neondba.local.platform import address
        from neondba.neon.throwaway import Wanted, throwaway_branch

        address(self.ctx)  # A local Neon that nobody has asked for a while has ended by itself.
        wanted = Wanted(parent=parent, signals=False)
        with throwaway_branch(
            self.client,
            self.ctx,
            project=self.project.id,
            purpose="pytest",
            database=self.database,
            wanted=wanted,
        ) as made:
            yield self.seen(made)

    def seen(self, made: Throwaway) -> NeonBranch:
        """Give a branch as tests see it."""
        from neondba.local.environment import variables

        return NeonBranch.of(made, self.project.name, variables(made, self.ctx))


@contextmanager
def opened(folder: Path, project: str | None, database: str | None) -> Iterator[Session]:
    """Connect to the Neon of the settings; on a local Neon without any project, make the first one.

    Raises:
        Problem: there is no such project, or Neon does not answer.
    """
    from neondba.branches.run import first_project, project_or_name
    from neondba.core.settings import load
    from neondba.local.platform import client as client_for

    ctx = Context(settings=load({"project": project}, folder=folder), folder=folder)
    with client_for(ctx) as client:
        found, name = project_or_name(client, ctx)
        yield Session(ctx, client, found or first_project(client, ctx, name), database)
