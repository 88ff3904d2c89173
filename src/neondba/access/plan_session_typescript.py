"""Clients of Prisma and Drizzle that act as the user of a request."""

from __future__ import annotations

from neondba.access.plan_wiring import Wiring
from neondba.access.policies_text import Asker
from neondba.project.facts import Facts


def typescript_wiring(facts: Facts, asker: Asker, *, signs_in_apart: bool) -> Wiring:
    """Give the wrapper of the project's client; nothing where none is found."""
    return Wiring()
