"""What each operation does, found by convention: every module here joins the table.

Every action may be repeated: after a crash it is.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from neondba.core.problem import NotFoundProblem
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

Perform = Callable[["Plane", OperationRow, dict[str, Any]], None]
Undo = Callable[["Plane", Rows, OperationRow, dict[str, Any]], None]
P = TypeVar("P", bound=Perform)
U = TypeVar("U", bound=Undo)

_PERFORM: Final[dict[str, Perform]] = {}
_UNDO: Final[dict[str, Undo]] = {}


def performs(action: str) -> Callable[[P], P]:
    """Join the table: this function carries out operations of that action."""

    def join(function: P) -> P:
        _PERFORM[action] = function
        return function

    return join


def undoes(action: str) -> Callable[[U], U]:
    """Join the table: this function takes back what a failed operation had promised."""

    def join(function: U) -> U:
        _UNDO[action] = function
        return function

    return join


def perform(plane: Plane, operation: OperationRow) -> None:
    """Carry out an operation, whole."""
    _load()
    _PERFORM[operation.action](plane, operation, json.loads(operation.arguments))


def undo(plane: Plane, rows: Rows, operation: OperationRow) -> None:
    """Take back what a failed operation had promised."""
    _load()
    if function := _UNDO.get(operation.action):
        function(plane, rows, operation, json.loads(operation.arguments))


def branch_of(plane: Plane, operation: OperationRow) -> BranchRow:
    """Give the branch of an operation.

    Raises:
        NotFoundProblem: it is gone.
    """
    with plane.state.read() as rows:
        branch = rows.get(BranchRow, operation.branch_id)
    if branch is None:
        raise NotFoundProblem("branch-not-found", f"Branch {operation.branch_id} is gone.")
    return branch


def _load() -> None:
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
