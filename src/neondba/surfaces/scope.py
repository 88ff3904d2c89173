"""What an agent may reach: everything, or only reading, or only one project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.plan import Effect
from neondba.core.problem import ConflictProblem
from neondba.surfaces.shape import Argument

READ_ONLY: Final = Argument("read_only", "Offer only what changes nothing.", kind="flag")
ONLY: Final = Argument("only_project", "Keep to this one project: its id or its name.")


@dataclass(frozen=True)
class Scope:
    """The limits that whoever starts the session sets; the agent cannot change them."""

    read_only: bool = False
    project: str | None = None
    """The one project to work on: its id or its name."""

    def offered(self, operations: Mapping[str, Operation]) -> dict[str, Operation]:
        """Give the operations within the limits."""
        return {name: found for name, found in operations.items() if self.refusal(found) is None}

    def refusal(self, operation: Operation) -> str | None:
        """Say why an operation is not offered; `None` if it is."""
        if self.read_only and operation.effect is not Effect.READ:
            return f"{operation.name} may change something, and this session only reads."
        if self.project is not None and operation.beyond_project:
            return f"{operation.name} reaches beyond project {self.project}, and this session keeps to it."
        return None

    def check(self, operation: Operation, arguments: Mapping[str, Any]) -> None:
        """Refuse a call beyond the limits.

        Raises:
            ConflictProblem: it is one.
        """
        why, hint = self.refusal(operation), "Give the user the command for their own terminal."
        if why is None and self.project is not None and arguments.get("project") not in (None, self.project):
            why = f"{operation.name} names another project, and this session keeps to {self.project}."
            hint = "Leave project out."
        if why is not None:
            raise ConflictProblem("beyond-scope", why, hint=hint, operation=operation.name)

    def applied(self, base: Context) -> Context:
        """Give the context that every call of this session starts from."""
        if self.project is None:
            return base
        return replace(base, settings=base.settings.with_flag("project", self.project))
