"""What an operation is about to do, before it does it."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Effect(StrEnum):
    """How far an operation reaches."""

    READ = "read"
    """Changes nothing."""
    WRITE = "write"
    """Adds or changes; can be undone by another operation."""
    DESTROY = "destroy"
    """Removes something that may not come back."""


class Target(BaseModel):
    """What is touched: shown before, recorded after."""

    model_config = ConfigDict(frozen=True)

    project: str | None = None
    branch: str | None = None
    role: str | None = None
    protected: bool = False
    """True for a protected or production branch: every write to it needs consent."""


class Plan(BaseModel):
    """A frozen list of steps. Its hash is what consent is given to."""

    model_config = ConfigDict(frozen=True)

    operation: str
    effect: Effect
    target: Target
    steps: tuple[str, ...]
    """Sentences in the order they will be carried out, in the user's own names."""
    measured: tuple[str, ...] = ()
    """What was measured before: shown with it, but no part of its hash, since no two runs measure alike."""

    @property
    def needs_confirmation(self) -> bool:
        """True when nothing may happen without consent to this very plan."""
        return self.effect is Effect.DESTROY or (self.effect is Effect.WRITE and self.target.protected)

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change when any part of the plan does, measures apart."""
        return hashlib.sha256(self.model_dump_json(exclude={"measured"}).encode()).hexdigest()[:12]


class PlannedOnly(Exception):
    """Stop at the plan: this run is a dry run. Control flow, never an error."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.hash)
        self.plan = plan
