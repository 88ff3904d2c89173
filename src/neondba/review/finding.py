"""A finding: what will happen to whom, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel


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


class Evidence(BaseModel):
    """What shows that the finding is true."""

    kind: EvidenceKind = EvidenceKind.READ
    text: str = ""
    """The line that was read, or the measurement; masked."""


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
