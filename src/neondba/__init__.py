"""The database administrator for projects on Neon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neondba.core.version import VERSION

if TYPE_CHECKING:
    from neondba.core.context import Context as Context
    from neondba.core.problem import Problem as Problem
    from neondba.surfaces.python import call as call

__version__ = VERSION
__all__ = ["Context", "Problem", "call"]

_HOMES = {
    "Context": "neondba.core.context",
    "Problem": "neondba.core.problem",
    "call": "neondba.surfaces.python",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command must start fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'neondba' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
