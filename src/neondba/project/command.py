"""A command that the user gives to run, and the project that it is for."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.problem import NotFoundProblem
from neondba.neon.choose import project_for

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Project

TOP: Final = (".git", "pyproject.toml", "package.json", "go.mod")


def program(command: Sequence[str], how: str = "neondba run") -> None:
    """Refuse a program that is not there, before anything is made for it.

    Raises:
        NotFoundProblem: nothing that can be run is called so.
    """
    if shutil.which(command[0]) is None:
        raise NotFoundProblem(
            "command-not-found",
            f"There is no program called {command[0]} to run.",
            hint=f"Write the program and its arguments behind --, as: {how} -- pytest -x",
        )


def shown(command: Sequence[str]) -> tuple[str, ...]:
    """Give a command without the passwords in it."""
    from neondba.neon.connection_string import mask_text

    return tuple(mask_text(word) for word in command)


def project_or_name(client: NeonClient, ctx: Context) -> tuple[Project | None, str]:
    """Give the project to use, or the name for a first one on the local Neon.

    The project that is set, else the one named like the folder, else the only one.
    """
    name = name_of(ctx.folder)
    if ctx.settings.project is None:
        from neondba.neon.throwaway import is_throwaway

        there = [each for each in client.projects() if not is_throwaway(each.name)]
        same = [each for each in there if each.name == name]
        if len(same) == 1:
            return same[0], name
        if not there and client.is_local:
            return None, name
    found = project_for(client, ctx)
    return found, found.name


def name_of(folder: Path) -> str:
    """Give the name of the project's folder, as a project's name."""
    tops = (place for place in [folder, *folder.parents] if any((place / mark).exists() for mark in TOP))
    return next(tops, folder).resolve().name[:64] or "app"
