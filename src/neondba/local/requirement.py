"""A behaviour of Neon and what the local Neon makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPEC: Final = "OpenAPI v2, @neondatabase/api-client 2.7.3"
SDK: Final = "@neon/sdk 6.1.2"
CLI: Final = "official command line 6.2.3"
PYTHON: Final = "neon-api 0.3.0 for Python"
DOCS: Final = "Neon's documentation"
OURS: Final = "neondba"
SERVERLESS: Final = "@neondatabase/serverless 1.2.0"


@dataclass(frozen=True)
class Requirement:
    """One thing a client can rely on, or must know is different."""

    id: str
    """An operation of the API, or `area.name` of a behaviour."""
    sentence: str
    """What it does; a whole sentence."""
    divergence: str | None = None
    """How it differs from Neon, and why."""
    source: str = DOCS
    """Who says that Neon does so."""
    deferred: bool = False
    """True for what is not built."""
