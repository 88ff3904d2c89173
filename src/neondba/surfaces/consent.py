"""Ask a person for consent to a plan, or say how to give it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence

from neondba.core.plan import Plan
from neondba.core.problem import Problem
from neondba.surfaces import output, render

FLAG = "--confirm"


def asker() -> Callable[[Plan], bool] | None:
    """Give a function that asks, where a person can answer."""
    if output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr):
        return ask
    return None


def ask(plan: Plan) -> bool:
    """Show the plan and ask for the target's name."""
    expected = name_to_type(plan)
    output.err("\n" + render.text(plan, output.width()) + "\n")
    sys.stderr.write(f"Type {expected} to go on, anything else to stop: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == expected


def name_to_type(plan: Plan) -> str:
    """Give the name of what is touched: typing it shows that it was read."""
    target = plan.target
    narrow = {"role": (target.role,), "project": ()}.get(plan.operation.partition(".")[0], (target.branch,))
    # A branch whose name is not yet known ends in dots, which nobody can type.
    names = [name for name in (*narrow, target.project, target.branch, target.role) if name]
    return next((name for name in names if not name.endswith("…")), "yes")


def how_to_confirm(problem: Problem, argv: Sequence[str]) -> str:
    """Show the plan that waits and the command that carries it out."""
    plan = Plan.model_validate(problem.facts["plan"])
    end = list(argv).index("--") if "--" in argv else len(argv)
    again = ["neondba", *_without_confirm(argv[:end]), FLAG, plan.hash, *argv[end:]]
    return f"{render.text(plan, output.width())}\n\nTo carry it out:\n  {shlex.join(again)}"


def _without_confirm(argv: Sequence[str]) -> list[str]:
    kept: list[str] = []
    previous = ""
    for word in argv:
        if previous != FLAG and word != FLAG and not word.startswith(FLAG + "="):
            kept.append(word)
        previous = "" if previous == FLAG else word
    return kept
