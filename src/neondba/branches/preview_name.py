"""What the branch of a pull request is called: `preview/<git branch>`, as Neon's own integrations do."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from neondba.core.problem import ArgumentProblem

PREFIX: Final = "preview/"
LONGEST: Final = 256
"""Characters that Neon takes."""
_PULL_REQUEST: Final = re.compile(r"pr-([0-9]{1,10})(?:-.*)?", re.DOTALL)


def preview_name(git_branch: str, pull_request: int | None = None) -> str:
    """Give the name: with a number `preview/pr-12-<git branch>`, because forks may have equal branches.

    A name that is too long for Neon is cut and ends in a hash of the whole.

    Raises:
        ArgumentProblem: git would not call a branch so.
    """
    if not git_branch or git_branch != git_branch.strip() or not git_branch.isprintable():
        raise ArgumentProblem(
            "git-branch-invalid",
            "That is no name of a git branch: it is empty, or holds what cannot be printed.",
            hint="Give the branch as git branch --show-current prints it.",
        )
    number = f"pr-{pull_request}-" if pull_request is not None else ""
    name = f"{PREFIX}{number}{git_branch}"
    if len(name) <= LONGEST:
        return name
    tail = "-" + hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:12]
    return name[: LONGEST - len(tail)] + tail


def pull_request_of(stem: str) -> int | None:
    """Give the number of the pull request from what follows `preview/`."""
    found = _PULL_REQUEST.fullmatch(stem)
    return int(found[1]) if found else None
