"""Call an operation for someone who is not at the terminal: nothing but an answer comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ConfirmationNeeded, Problem
from neondba.surfaces import trouble


@dataclass(frozen=True)
class Answer:
    """A result, a plan or a problem: exactly one of the three."""

    operation: Operation
    result: Any = None
    plan: Plan | None = None
    problem: Problem | None = None

    @property
    def data(self) -> Any:
        """JSON-ready result."""
        return self.operation.dump(self.result)

    @property
    def findings(self) -> int:
        """How many findings the result holds."""
        return self.operation.findings(self.result) if self.plan is None and self.problem is None else 0


def answer(operation: Operation, ctx: Context, arguments: Mapping[str, Any]) -> Answer:
    """Call and catch everything that can go wrong."""
    try:
        result = operation.call(ctx, arguments)
        if isinstance(result, Plan) and ctx.dry_run:
            return Answer(operation, plan=result)
        # Dumped here, so that a result that does not fit its type is a problem too.
        operation.dump(result)
        return Answer(operation, result=result)
    except Problem as problem:
        return Answer(operation, problem=problem)
    except KeyboardInterrupt:
        return Answer(operation, problem=trouble.interrupted(operation.name))
    except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
        return Answer(operation, problem=trouble.unexpected(error, operation.name))


def gated(operation: Operation, ctx: Context, arguments: Mapping[str, Any]) -> Answer:
    """Call, but let nothing be changed without consent to the very plan, whatever its target."""
    if operation.effect is Effect.READ or ctx.dry_run:
        return answer(operation, ctx, arguments)
    planned = answer(operation, replace(ctx, dry_run=True), arguments)
    if planned.plan is None or planned.plan.hash == ctx.confirmation:
        return answer(operation, ctx, arguments) if planned.plan else planned
    return Answer(operation, problem=_waits(planned.plan, stale=ctx.confirmation is not None))


def _waits(plan: Plan, *, stale: bool) -> ConfirmationNeeded:
    return ConfirmationNeeded(
        "plan-changed" if stale else "confirmation-needed",
        f"{plan.operation} waits for consent to plan {plan.hash}.",
        hint=f"Show the user the steps, then repeat the call with confirm = {plan.hash}.",
        plan=plan.model_dump(mode="json"),
        hash=plan.hash,
    )
