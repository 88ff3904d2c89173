"""A finding: what will happen to whom, where, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, Field

from neondba.project.migration_writing.change import Change


class Severity(StrEnum):
    """How much it matters, from loss of data or secrets down to untidiness."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for critical, 3 for low."""
        return list(Severity).index(self)


class Category(StrEnum):
    """What part of the database's life a finding belongs to."""

    SECRET = "secret"  # noqa: S105
    ENV = "env"
    CONNECTION = "connection"
    POOLING = "pooling"
    ORM_BYPASS = "orm-bypass"
    ISOLATION = "isolation"
    AUTH = "auth"
    SCHEMA = "schema"
    MIGRATION = "migration"
    PRODUCTION = "production"


class EvidenceKind(StrEnum):
    """How a claim is known."""

    SHOWN = "shown"
    READ = "read"
    NOT_CHECKED = "not-checked"


ELSEWHERE = re.compile(r"database:|[0-9a-f]{7,40}:")
"""How a path begins that is no file of the project: an object of a database, a commit of its history."""


class Evidence(BaseModel):
    """What shows that the finding is true."""

    kind: EvidenceKind = EvidenceKind.READ
    text: str = ""
    """The line that was read, or the measurement; masked."""


@dataclass(frozen=True)
class Edit:
    """Whole lines of a file to replace, safe to apply without asking what the code means."""

    path: str
    line: int
    """The first of the lines, from 1."""
    old: str
    """The lines as they read now; the edit is refused where they read otherwise."""
    new: str
    """What stands there afterwards; empty to remove them."""


@dataclass(frozen=True)
class Finding:
    """What a rule yields; the engine adds the rule's own part."""

    path: str
    line: int
    message: str
    """One or two sentences: what will happen to whom, in the project's own names."""
    steps: tuple[str, ...] = ()
    """What to do, in order; each an imperative sentence."""
    snippet: str = ""
    """Text to paste, in the project's own names."""
    severity: Severity | None = None
    """Overrides the rule's severity where this place is better or worse than usual."""
    evidence: str = ""
    """What was read there; must be masked. The engine takes the line itself when this is empty."""
    masked: bool = False
    """True when the line itself may hold a secret and must not be shown."""
    edits: tuple[Edit, ...] = ()
    """What `--fix` writes; empty where a person has to decide."""
    change: Change | None = None
    """What `--fix` puts into a new migration of the project."""
    way: tuple[str, ...] = ()
    """How the fault is reached, one `path:line name` a step, from the entrance on."""
    is_shown: bool = False
    """The evidence is what a database says, not a line that was read."""
    also: tuple[tuple[str, int], ...] = ()
    """Other places where the same cause is written: path and line."""


class Reported(BaseModel):
    """A finding as every report shows it."""

    rule: str
    name: str
    category: Category
    severity: Severity
    path: str
    line: int
    message: str
    steps: list[str]
    snippet: str
    evidence: Evidence
    way: list[str] = Field(default_factory=list)
    """How the fault is reached, one `path:line name` a step."""
    repair: str = ""
    """What `--fix` does about it; empty where a person has to decide."""
    ignore: str = ""
    """What to write on the line above to say "I know", in the file's own comment syntax."""
    fingerprint: str = ""
    """Stays the same while the line moves; holds no text of the project."""
    context: str = Field(default="", exclude=True, repr=False)
    """The line without its indentation, masked."""
    edits: tuple[Edit, ...] = Field(default=(), exclude=True, repr=False)
    change: Change | None = Field(default=None, exclude=True, repr=False)

    @property
    def is_in_file(self) -> bool:
        """False for what stands in a database or only in git's history."""
        return ELSEWHERE.match(self.path) is None
