"""What a migration has to carry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A change of the database that a migration of the project has to carry."""

    name: str
    """Words for the migration's name: `index tasks user_id`."""
    up: tuple[str, ...]
    """Statements, in order, each a whole one."""
    down: tuple[str, ...]
    concurrently: bool = False
    """Whether a statement must run outside a transaction."""
