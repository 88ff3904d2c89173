"""Which project is meant."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, NotFoundProblem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Project


def project_for(client: NeonClient, ctx: Context) -> Project:
    """Give the project that is set, or else the only one that is no proof's throw-away.

    Raises:
        NotFoundProblem: it does not exist, or there is none at all.
        ArgumentProblem: none is set and there are several.
    """
    if ctx.settings.project is not None:
        return client.find_project(ctx.settings.project)
    from neondba.neon.throwaway import is_throwaway

    there = [project for project in client.projects() if not is_throwaway(project.name)]
    if len(there) == 1:
        ctx.progress(f"Using project {there[0].name}: it is the only one.")
        return there[0]
    if not there:
        raise NotFoundProblem(
            "project-not-found",
            "There is no project yet.",
            hint="neondba project create NAME makes one.",
        )
    names = sorted(each.name for each in there)
    raise ArgumentProblem(
        "project-needed",
        f"There are {len(names)} projects and none is chosen: {', '.join(names[:10])}.",
        hint=f"Name one: --project {quote(names[0])}, or set NEONDBA_PROJECT.",
        projects=names,
    )
