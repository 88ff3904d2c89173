"""Find every operation and prover: each room's `operations.py` and `proofs.py`, then other packages'.

Adding a capability is adding a function to a room; no list is edited. Outside packages register the
same way through the entry point group `neondba.operations`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from neondba.core import operation
from neondba.core.operation import Operation


@cache
def load() -> dict[str, Operation]:
    """Import all rooms' operations and give them by name."""
    here = Path(__file__).parent
    for module in ("operations", "proofs"):
        for file in sorted(here.glob(f"*/{module}.py")):
            import_module(f"neondba.{file.parent.name}.{module}")
    for entry in entry_points(group="neondba.operations"):
        entry.load()
    return operation.registered()
