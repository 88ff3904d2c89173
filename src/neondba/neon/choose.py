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
        return _set(client, ctx, ctx.settings.project)
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


def _set(client: NeonClient, ctx: Context, wanted: str) -> Project:
    """Give the project of the settings; say where the name is from when there is none."""
    try:
        return client.find_project(wanted)
    except NotFoundProblem as problem:
        origin = ctx.settings.origin("project")
        if origin.startswith("--"):
            raise
        where = " on the local Neon" if client.is_local else ""
        other = "Set NEON_API_KEY if it is in the cloud" if client.is_local else problem.hint or ""
        raise NotFoundProblem(
            "project-not-found",
            f"There is no project {wanted}{where}; {origin} names it.",
            hint=f"{other.rstrip('.')}, or name another with --project.",
        ) from None
