"""Find every operation and prover: each room's `operations.py` and `proofs.py`, then other packages'.

A room with many operations splits them by noun: `operations_snapshots.py` is found like `operations.py`.
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
    for pattern in ("operations*.py", "proofs.py"):
        for file in sorted(here.glob(f"*/{pattern}")):
            import_module(f"neondba.{file.parent.name}.{file.stem}")
    for entry in entry_points(group="neondba.operations"):
        entry.load()
    return operation.registered()
