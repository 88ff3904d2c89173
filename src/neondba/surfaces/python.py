"""Call operations from a Python program."""

from __future__ import annotations

from typing import Any

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import find


def call(name: str, /, ctx: Context | None = None, **arguments: Any) -> Any:
    """Run an operation by name and give its result.

    Raises:
        Problem: whatever the operation reports; see `neondba.Problem`.
    """
    capabilities.load()
    return find(name).call(ctx or Context(), arguments)
