"""Where the user stands: the folder, the project and branch it is set to, and which Neon answers."""

from __future__ import annotations

from pydantic import BaseModel

from neondba.core.context import Context
from neondba.core.context_file import noted_branch


class Place(BaseModel):
    """What is known without asking a server."""

    folder: str
    project: str | None
    project_from: str
    """Where the project's name comes from: a flag, a variable or a file."""
    branch: str | None
    """The branch that the folder's environment was last pointed at."""
    platform: str
    """`the Neon cloud` with an API key, else `the local Neon`."""


def place(ctx: Context) -> Place:
    """Say where the user stands."""
    return Place(
        folder=str(ctx.folder),
        project=ctx.settings.project,
        project_from=ctx.settings.origin("project"),
        branch=noted_branch(ctx.folder, ctx.settings.project),
        platform="the Neon cloud" if ctx.settings.api_key else "the local Neon",
    )
