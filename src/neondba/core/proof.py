"""Claims that are shown on a throw-away branch, and who can show them.

A room that can prove something registers a prover; the review asks all of them without knowing any.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from neondba.core.context import Context


class Shown(StrEnum):
    """What came of trying to show a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_CHECKED = "not-checked"


class Line(BaseModel):
    """One thing that was seen while proving."""

    subject: str
    """What it is about: a table, a revision, a role."""
    shown: Shown
    text: str
    """One sentence, with the measurement."""


class Proof(BaseModel):
    """A claim, and what was seen."""

    claim: str
    """`migrations` or `isolation`: what the verdicts are drawn from."""
    shown: Shown
    summary: str
    lines: tuple[Line, ...] = ()
    missing: str | None = None
    """What is missing to prove it, when it was not checked."""
    seconds: float = 0.0


Prover = Callable[[Context, Path], Proof]
P = TypeVar("P", bound=Prover)

_provers: dict[str, Prover] = {}


def prover(claim: str) -> Callable[[P], P]:
    """Register a function that shows a claim about the project in a folder."""

    def register(function: P) -> P:
        _provers[claim] = function
        return function

    return register


def provers() -> dict[str, Prover]:
    """Import each room's `proofs.py` and give the provers by claim, in alphabetical order."""
    for file in sorted(Path(__file__).parents[1].glob("*/proofs.py")):
        import_module(f"neondba.{file.parent.name}.proofs")
    return dict(sorted(_provers.items()))
