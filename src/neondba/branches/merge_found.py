"""What is asked of a merge, and what the look at both sides and their base has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Project
    from neondba.postgres.ddl.conflict import Conflict, Side
    from neondba.postgres.ddl.schema import Schema
    from neondba.postgres.ddl.statement import Statement


@dataclass(frozen=True)
class Asked:
    """What the user wants of a merge."""

    database: str | None
    tables: tuple[str, ...]
    """Tables whose rows are merged too."""
    prefer: Mapping[str, Side]
    folder: Path | None
    """The project that gets a migration; none where `None`."""


@dataclass(frozen=True)
class Between:
    """The two branches."""

    project: Project
    theirs: Branch
    """The one that is merged."""
    ours: Branch
    """The one that it is merged into."""


@dataclass
class Found:
    """What there is to do."""

    ours: Schema
    wanted: Schema
    statements: list[Statement] = field(default_factory=list)
    """Of the merge itself."""
    back: list[str] = field(default_factory=list)
    """Of the way back, schema only."""
    conflicts: list[Conflict] = field(default_factory=list)
    versions: tuple[str, ...] = ()
    """What the target's alembic_version holds."""
    by_tool: bool = False
    """True when their side has run migrations of the project's own tool."""
    tables: tuple[str, ...] = ()
    """Version tables of the target."""
    known: frozenset[str] = frozenset()
    """Keys of every object of the three sides."""
    merged_tables: tuple[str, ...] = ()
    """Tables whose rows are merged."""
    lsn: str = ""
    """How far their history was read."""
    notes: tuple[str, ...] = ()
