"""New files of code, and how a person wires them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wiring:
    """What is written beside the migrations."""

    files: dict[str, str] = field(default_factory=dict)
    what: dict[str, str] = field(default_factory=dict)
    """What each file is for."""
    steps: tuple[str, ...] = ()
