"""The `.neon` file of Neon's own command line: which project and branch a folder is about.

It is JSON: `{"projectId", "orgId", "branch"}`, with the branch's name; older ones hold `branchId`. What
else is in it, as the map from git branches to Neon branches, is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from neondba.core.problem import ArgumentProblem

NAME: Final = ".neon"


@dataclass(frozen=True)
class ContextFile:
    """What a `.neon` file says."""

    path: Path
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> str | None:
        """Give the project's id."""
        return _text(self.values.get("projectId"))

    @property
    def organization(self) -> str | None:
        """Give the id of the project's organization."""
        return _text(self.values.get("orgId"))

    @property
    def branch(self) -> str | None:
        """Give the name of the current branch, or in older files its id."""
        return _text(self.values.get("branch")) or _text(self.values.get("branchId"))

    @property
    def follows(self) -> dict[str, str]:
        """Give the Neon branch that goes with each git branch, where one was chosen."""
        git = self.values.get("git")
        found = git.get("map") if isinstance(git, Mapping) else None
        there = found if isinstance(found, Mapping) else {}
        return {str(name): value for name, value in there.items() if isinstance(value, str)}

    def at(self, project: str, organization: str | None, branch: str) -> ContextFile:
        """Give the same file for another branch; what other tools keep in it stays.

        The map from git branches goes when the project changes: its names mean that project's branches.
        """
        kept = {name: value for name, value in self.values.items() if name != "branchId"}
        if self.project not in (None, project):
            kept = {name: value for name, value in kept.items() if name not in ("git", "orgId")}
        named = {"projectId": project, "orgId": organization or kept.get("orgId"), "branch": branch}
        return replace(self, values={**kept, **{k: v for k, v in named.items() if v is not None}})

    def following(self, git_branch: str, branch: str) -> ContextFile:
        """Give the same file with a Neon branch noted for a git branch."""
        git = self.values.get("git")
        there = dict(git) if isinstance(git, Mapping) else {}
        git = {**there, "map": {**self.follows, git_branch: branch}}
        return replace(self, values={**self.values, "git": git})

    def write(self) -> None:
        """Put the file in place, whole or not at all.

        Raises:
            ArgumentProblem: the folder takes no file.
        """
        from neondba.core.whole_file import put

        put(self.path, (json.dumps(self.values, indent=2, ensure_ascii=False) + "\n").encode())


def nearest(folder: Path) -> ContextFile | None:
    """Read the nearest `.neon` file, looking upwards as Neon's own tool does.

    Raises:
        ArgumentProblem: it cannot be read.
    """
    for place in places(folder):
        # os.path, unlike pathlib, takes a folder that is closed to us for one without the file.
        if os.path.isfile(place / NAME):  # noqa: PTH113
            return read(place / NAME)
    return None


def noted_branch(folder: Path, project: str | None) -> str | None:
    """Give the branch that `.neon` names, where it is of this project."""
    noted = nearest(folder)
    return noted.branch if noted is not None and project is not None and noted.project == project else None


def places(folder: Path) -> Iterator[Path]:
    """Give the folders that may speak of a project: this one and those above, but never the home folder."""
    try:
        home: Path | None = Path.home()
    except RuntimeError:  # In a container a user may have no name and no home.
        home = None
    for place in (folder, *folder.parents):
        if place in (home, Path(place.anchor)):
            return
        yield place


def read(path: Path) -> ContextFile:
    """Read one file; one that is not there says nothing.

    Raises:
        ArgumentProblem: it cannot be read, or is not what it should be.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8") or "{}")
    except FileNotFoundError:
        return ContextFile(path)
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from None
    if not isinstance(values, dict):
        raise _unusable(path, "it holds no JSON object")
    return ContextFile(path, values)


def _unusable(path: Path, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "context-file-unreadable",
        f"{path} cannot be read: {why.rstrip('.')}.",
        hint="Correct it, or remove it and check a branch out again: neondba branch checkout BRANCH",
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
