"""A git hook that lets the database follow the git branch: ours to make and remove, nobody else's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from shlex import quote
from typing import Final

from neondba.core.problem import ConflictProblem, NotFoundProblem
from neondba.core.whole_file import put
from neondba.project.git import environment

NAME: Final = "post-checkout"
OURS: Final = "# Made by neondba: let the database branch follow the git branch."


def path_of(folder: Path) -> Path:
    """Give where git looks for the hook.

    Raises:
        NotFoundProblem: the folder is in no git repository.
    """
    found = _git(folder, "rev-parse", "--git-path", f"hooks/{NAME}")
    if found is None:
        raise NotFoundProblem(
            "git-repository-not-found",
            f"{folder} is in no git repository, so there is nothing to follow.",
            hint="Change to the checkout, or run git init.",
        )
    return (folder / found).resolve()


def check(path: Path) -> None:
    """Refuse where another hook would be overwritten.

    Raises:
        ConflictProblem: the hook is somebody else's, or its folder is part of the repository.
    """
    if path.exists() and not is_ours(path):
        raise ConflictProblem(
            "git-hook-taken",
            f"{path} is there and is not ours; it stays as it is.",
            hint="Add this line to it, or remove it first (neon git uninstall, if Neon's own tool made it): "
            + _line(),
        )
    if path.parent.is_dir() and _is_tracked(path):
        raise ConflictProblem(
            "git-hook-shared",
            f"{path.parent} belongs to the repository: a hook in it would be everybody's.",
            hint=f"If that is meant, add this line to {path} yourself: {_line()}",
        )


def is_ours(path: Path) -> bool:
    """Tell whether a hook is one that we made."""
    try:
        return OURS in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def install(path: Path) -> None:
    """Write the hook; one of ours is renewed."""
    check(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    put(path, script().encode(), mode=0o755)


def remove(path: Path) -> bool:
    """Remove our hook; tell whether there was one."""
    if not is_ours(path):
        return False
    path.unlink()
    return True


def script() -> str:
    """Give the hook's text. It must never keep git from going on."""
    return f"""#!/bin/sh
{OURS}
# neondba branch hook --off removes it.
# $3 is 1 when a branch was checked out, 0 for single files.
[ "$3" = 1 ] || exit 0
{_line()}
"""


def _line() -> str:
    found = shutil.which("neondba")
    program = quote(found) if found else f"{quote(sys.executable)} -m neondba"
    return f"{program} branch follow </dev/null || :"


def _is_tracked(path: Path) -> bool:
    top = _git(path.parent, "rev-parse", "--show-toplevel")
    if top is None or not path.is_relative_to(Path(top).resolve()):
        return False
    return bool(_git(path.parent, "ls-files", "--", ".")) and ".git" not in path.parts


def _git(folder: Path, *arguments: str) -> str | None:
    """Ask the user's own git, with the user's settings: where hooks lie is one of them."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the user uses
            capture_output=True, check=False, timeout=30, env=environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
