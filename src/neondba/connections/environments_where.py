"""Which branches the endpoints of connection strings serve, as far as the API could be asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from neondba.connections.environments_files import PRODUCTION, Held
from neondba.core.context import Context
from neondba.core.problem import Problem

if TYPE_CHECKING:
    from neondba.neon.models import Branch

_PRODUCTION: Final = re.compile(r"(?:^|[-_.])(?:prod|production|live)(?:[-_.]|$)", re.IGNORECASE)


@dataclass
class Where:
    """Branches by their endpoints."""

    branches: dict[str, Branch] = field(default_factory=dict)
    asked: bool = False
    trouble: str = ""

    def branch_key(self, held: Held) -> str:
        """Give what two addresses of the same data have in common."""
        branch = self._of(held)
        return branch.id if branch else held.database_place

    def branch_name(self, held: Held) -> str:
        """Give the branch's name; empty where the API does not know the endpoint."""
        branch = self._of(held)
        return branch.name if branch else ""

    def is_production(self, held: Held) -> str:
        """Say why an address leads to production; empty where nothing says so."""
        branch = self._of(held)
        if branch is not None and branch.protected:
            return f"branch {branch.name} is protected"
        if branch is not None and branch.name.lower() in (PRODUCTION, "prod", "live"):
            return f"it is branch {branch.name}"
        names = (held.address.host, held.address.database or "")
        said = next((name for name in names if _PRODUCTION.search(name)), "")
        return f"{said} says so" if said else ""

    def _of(self, held: Held) -> Branch | None:
        return self.branches.get(held.address.endpoint_id or "") if held.is_neon else None


def where(ctx: Context, held: Sequence[Held]) -> Where:
    """Ask the API for the branches of these endpoints; a local Neon that sleeps is not woken."""
    found = Where()
    wanted = {each.address.endpoint_id for each in held if each.is_neon}
    if not wanted or not _may_ask(ctx):
        return found
    from neondba.local import platform

    try:
        with platform.client(ctx) as client:
            found.asked = True
            for project in client.projects():
                endpoints = {e.id: e.branch_id for e in client.endpoints(project.id)}
                if not wanted & endpoints.keys():
                    continue
                branches = {branch.id: branch for branch in client.branches(project.id)}
                found.branches |= {e: branches[b] for e, b in endpoints.items() if b in branches}
                wanted -= endpoints.keys()
                if not wanted:
                    break
    except Problem as problem:
        found.trouble = problem.message
    return found


def _may_ask(ctx: Context) -> bool:
    if ctx.settings.api_key:
        return True
    from neondba.local import launch

    return launch.status(ctx.settings.state_dir) is not None
