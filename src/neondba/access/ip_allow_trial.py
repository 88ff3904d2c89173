"""Try a connection from here, to see whether the list lets this machine in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from neondba.core.problem import Problem

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Project

_NOT_ALLOWED: Final = re.compile(r"This IP address (?P<address>\S+) is not allowed to connect")
_BLOCKED: Final = "from a blocked network"


@dataclass(frozen=True)
class Trial:
    """What a connection from here met with."""

    let_in: bool | None
    """`None` where something else was in the way."""
    said: str
    seen_as: str | None = None
    """The address that Neon saw, where it says so."""


def trial(client: NeonClient, project: Project, branch: Branch) -> Trial:
    """Open a session on a branch and close it; its compute wakes for that."""
    from neondba.neon.throwaway import reached
    from neondba.postgres.connect import connect

    try:
        connect(reached(client, project.id, branch).direct).close()
    except Problem as problem:
        return _refused(problem, branch)
    return Trial(True, f"A connection from here to branch {branch.name} was let in.")


def tried_branch(there: list[Branch], *, protected_only: bool) -> Branch | None:
    """Give a branch that the list is about: the default one where it may be."""
    held = [each for each in there if each.protected or not protected_only]
    return next((each for each in held if each.default), held[0] if held else None)


def _refused(problem: Problem, branch: Branch) -> Trial:
    said = f"{problem.message} {problem.facts.get('said', '')}"
    found = _NOT_ALLOWED.search(said)
    if found:
        seen = found["address"]
        return Trial(False, f"Branch {branch.name} refused this machine, which it sees as {seen}.", seen)
    if _BLOCKED in said:
        return Trial(False, f"Branch {branch.name} refused this machine: public connections are blocked.")
    return Trial(None, f"A connection to branch {branch.name} failed for another reason: {problem.message}")
